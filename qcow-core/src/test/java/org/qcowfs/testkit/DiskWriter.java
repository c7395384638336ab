package org.qcowfs.testkit;

import com.github.luben.zstd.Zstd;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/** Writes the L1 table, the L2 tables and the clusters of one disk. */
final class DiskWriter {
  private static final long COPIED = 1L << 63;
  private static final long COMPRESSED = 1L << 62;
  private static final long ZERO = 1;

  private final SparseBytes file;
  private final HostLayout layout;
  private final int clusterBits;
  private final boolean extendedL2;
  private final boolean zstd;
  private final boolean scattered;
  private final @Nullable SparseBytes dataFile;

  DiskWriter(
      SparseBytes file,
      HostLayout layout,
      int clusterBits,
      boolean extendedL2,
      boolean zstd,
      boolean scattered,
      @Nullable SparseBytes dataFile) {
    this.file = file;
    this.layout = layout;
    this.clusterBits = clusterBits;
    this.extendedL2 = extendedL2;
    this.zstd = zstd;
    this.scattered = scattered;
    this.dataFile = dataFile;
  }

  /** Host offset of the L1 table. */
  long write(DiskContents disk) {
    long l1Table = layout.allocateBytes(disk.l1Entries() * Long.BYTES);
    int entryBytes = extendedL2 ? 16 : 8;
    long l2Entries = (1L << clusterBits) / entryBytes;
    for (Map.Entry<Long, ClusterContents> cluster : inOrderOfWriting(disk)) {
      long l1Entry = l1Table + cluster.getKey() / l2Entries * Long.BYTES;
      if (file.getLong(l1Entry) == 0) {
        file.putLong(l1Entry, layout.allocate(1) | COPIED);
      }
      long l2Table = file.getLong(l1Entry) & ~COPIED;
      long l2Entry = l2Table + cluster.getKey() % l2Entries * entryBytes;
      file.putLong(l2Entry, entry(cluster.getKey() << clusterBits, cluster.getValue()));
      if (extendedL2) {
        file.putLong(l2Entry + 8, bitmap(cluster.getValue()));
      }
    }
    return l1Table;
  }

  /**
   * A second L1 table for the same disk, as an internal snapshot has it. Nothing is COPIED any
   * more.
   */
  long share(long l1Table, long l1Entries) {
    long second = layout.allocateBytes(l1Entries * Long.BYTES);
    for (long at = 0; at < l1Entries * Long.BYTES; at += Long.BYTES) {
      long l2Table = file.getLong(l1Table + at) & ~COPIED;
      file.putLong(l1Table + at, l2Table).putLong(second + at, l2Table);
      if (l2Table != 0) {
        layout.reference(l2Table, 1L << clusterBits);
        shareClusters(l2Table);
      }
    }
    return second;
  }

  private void shareClusters(long l2Table) {
    for (long at = l2Table; at < l2Table + (1L << clusterBits); at += extendedL2 ? 16 : 8) {
      long entry = file.getLong(at) & ~COPIED;
      file.putLong(at, entry);
      int offsetBits = 62 - (clusterBits - 8);
      if ((entry & COMPRESSED) != 0) {
        long sectors = ((entry & ~COMPRESSED) >>> offsetBits) + 1;
        layout.reference(entry & ((1L << offsetBits) - 1) & -512L, sectors * 512);
      } else if (dataFile == null && (entry & ~ZERO) != 0) {
        layout.reference(entry & ~ZERO, 1L << clusterBits);
      }
    }
  }

  /** As a guest that writes here and there: some neighbours of the disk are none in the file. */
  private List<Map.Entry<Long, ClusterContents>> inOrderOfWriting(DiskContents disk) {
    List<Map.Entry<Long, ClusterContents>> clusters = new ArrayList<>(disk.clusters().entrySet());
    if (scattered) {
      SplittableRandom random = new SplittableRandom(clusters.size());
      for (int i = 1; i < clusters.size(); i++) {
        if (random.nextInt(3) == 0) {
          Collections.swap(clusters, i - 1, i);
        }
      }
    }
    return clusters;
  }

  private long entry(long guestOffset, ClusterContents cluster) {
    return switch (cluster.storage()) {
      case DATA -> place(guestOffset, cluster.bytes()) | COPIED;
      case ZERO -> extendedL2 ? 0 : ZERO;
      case ZERO_PREALLOCATED ->
          place(guestOffset, cluster.bytes()) | COPIED | (extendedL2 ? 0 : ZERO);
      case SUBCLUSTERS ->
          cluster.bytes().length == 0 ? 0 : place(guestOffset, cluster.bytes()) | COPIED;
      case COMPRESSED -> compressed(cluster.bytes());
      case RAW_ENTRY -> cluster.entry();
    };
  }

  private static long bitmap(ClusterContents cluster) {
    return switch (cluster.storage()) {
      case DATA -> 0xffff_ffffL;
      case ZERO, ZERO_PREALLOCATED -> 0xffff_ffffL << 32;
      case COMPRESSED -> 0;
      case SUBCLUSTERS, RAW_ENTRY -> cluster.bitmap();
    };
  }

  private long place(long guestOffset, byte[] bytes) {
    if (dataFile != null) {
      dataFile.write(guestOffset, Arrays.copyOf(bytes, 1 << clusterBits));
      return guestOffset;
    }
    long hostOffset = layout.allocate(1);
    file.write(hostOffset, bytes);
    return hostOffset;
  }

  private long compressed(byte[] bytes) {
    byte[] cluster = Arrays.copyOf(bytes, 1 << clusterBits);
    byte[] packed = zstd ? Zstd.compress(cluster) : deflate(cluster);
    long hostOffset = layout.placeCompressed(packed.length);
    file.write(hostOffset, packed);
    long sectors = ((hostOffset + packed.length - 1) >> 9) - (hostOffset >> 9);
    return COMPRESSED | (sectors << (62 - (clusterBits - 8))) | hostOffset;
  }

  private static byte[] deflate(byte[] bytes) {
    Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
    try {
      deflater.setInput(bytes);
      deflater.finish();
      byte[] packed = new byte[bytes.length * 2 + 64];
      return Arrays.copyOf(packed, deflater.deflate(packed));
    } finally {
      deflater.end();
    }
  }
}
