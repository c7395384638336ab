package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.qcowfs.alloc.Refcounts;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.BitmapSpec;
import org.qcowfs.testkit.DiskContents;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SnapshotSpec;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;
import org.qcowfs.testkit.storage.MemoryStorage;

/**
 * An image as a crash leaves it where refcounts are lazy: the dirty bit is set, every refcount is 0
 * and every COPIED flag the wrong way round. It knows what they must become. Its disk has two L2
 * tables, of which a snapshot shares the second; of the first, it shares one cluster.
 */
final class DirtyImage {
  private static final long COPIED = 1L << 63;
  private static final long COMPRESSED = 1L << 62;
  private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;
  private static final int DIRTY = 1;

  private final TestImage image;
  private final SparseBytes bytes;
  private final int clusterBits;
  private final long l2Entries;
  private final Map<Long, Long> expected = new HashMap<>();

  /** Clusters that the repair may change. */
  private final Set<Long> tables = new HashSet<>();

  private byte[] before = {};

  private DirtyImage(int clusterBits, int refcountOrder) throws IOException {
    this.clusterBits = clusterBits;
    this.l2Entries = 1L << (clusterBits - 3);
    boolean counts = refcountOrder > 0;
    ImageBuilder builder =
        new ImageBuilder(3, clusterBits)
            .refcountOrder(refcountOrder)
            .incompatible(DIRTY)
            .virtualSize((2 * l2Entries) << clusterBits);
    fill(builder.disk(), counts);
    if (counts) {
      builder
          .snapshot(SnapshotSpec.of("1", "one", (2 * l2Entries) << clusterBits))
          .data(0, cluster(40))
          .data(l2Entries, cluster(41));
      builder.bitmap(new BitmapSpec("backup", 16, 1));
    }
    this.image = builder.build();
    this.bytes = image.bytes();
    MemoryStorage built = storage();
    Refcounts refcounts = new Refcounts(built, header(built), 1 << 16);
    for (long cluster = 0; cluster << clusterBits < bytes.size(); cluster++) {
      expected.put(cluster, refcounts.getLocked(cluster));
    }
    if (counts) {
      share();
    }
  }

  private void fill(DiskContents disk, boolean compressed) {
    disk.data(0, cluster(1)).data(3, cluster(2)).zeroPreallocated(4, cluster(3)).zero(5);
    disk.data(l2Entries, cluster(4)).data(l2Entries + 7, cluster(5));
    if (compressed) {
      disk.compressed(9, cluster(6)).compressed(10, cluster(7));
    }
  }

  private byte[] cluster(int value) {
    byte[] cluster = new byte[1 << clusterBits];
    Arrays.fill(cluster, (byte) value);
    return cluster;
  }

  /** Lets the snapshot share the second L2 table, and a cluster of the first. */
  private void share() {
    long l1 = bytes.getLong(image.snapshotOffsets().get(0));
    long l2 = bytes.getLong(l1) & OFFSET_MASK;
    long shared = image.l2Entry(0);
    bytes.putLong(l2 + 3 * Long.BYTES, shared & ~COPIED);
    expected.merge(clusterOf(shared), 1L, Long::sum);
    long lost = bytes.getLong(l1 + Long.BYTES) & OFFSET_MASK;
    expected.put(lost >> clusterBits, 0L);
    expected.put(clusterOf(bytes.getLong(lost)), 0L);
    long table = bytes.getLong(image.l1TableOffset() + Long.BYTES);
    bytes.putLong(l1 + Long.BYTES, table & ~COPIED);
    expected.merge(clusterOf(table), 1L, Long::sum);
    for (long index : new long[] {0, 7}) {
      long entry = bytes.getLong((table & OFFSET_MASK) + index * Long.BYTES);
      expected.merge(clusterOf(entry), 1L, Long::sum);
    }
  }

  private long clusterOf(long entry) {
    return (entry & OFFSET_MASK) >> clusterBits;
  }

  /** A dirty image. With refcounts of one bit, it has neither snapshot nor bitmap. */
  static DirtyImage of(int clusterBits, int refcountOrder) throws IOException {
    DirtyImage dirty = new DirtyImage(clusterBits, refcountOrder);
    dirty.disturb();
    return dirty;
  }

  private void disturb() {
    for (long at = image.refcountTableOffset(); bytes.getLong(at) != 0; at += Long.BYTES) {
      bytes.write(bytes.getLong(at), new byte[1 << clusterBits]);
      tables.add(bytes.getLong(at) >> clusterBits);
    }
    for (long l1 = image.l1TableOffset(); l1 < image.l1TableOffset() + 16; l1 += Long.BYTES) {
      long l2 = bytes.getLong(l1) & OFFSET_MASK;
      bytes.putLong(l1, flaggedWrong(bytes.getLong(l1)));
      tables.add(l1 >> clusterBits);
      tables.add(l2 >> clusterBits);
      for (long at = l2; at < l2 + (1L << clusterBits); at += Long.BYTES) {
        long entry = bytes.getLong(at);
        if ((entry & OFFSET_MASK) != 0 && (entry & COMPRESSED) == 0) {
          bytes.putLong(at, flaggedWrong(entry));
        }
      }
    }
    remember();
  }

  private long flaggedWrong(long entry) {
    Long count = expected.get(clusterOf(entry));
    return count != null && count == 1 ? entry & ~COPIED : entry | COPIED;
  }

  /** The image was edited: what it holds now is what must stay. */
  void remember() {
    before = storage().bytes();
  }

  TestImage image() {
    return image;
  }

  SparseBytes bytes() {
    return bytes;
  }

  MemoryStorage storage() {
    return MemoryStorage.of(bytes.read(0, Math.toIntExact(bytes.size())));
  }

  static Header header(BlockStorage storage) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(Header.DECODED_BYTES);
    storage.readFully(head, 0);
    return Header.decode(head.flip());
  }

  static DirtyImageRepair.Outcome repair(BlockStorage storage) throws IOException {
    Header header = header(storage);
    ByteBuffer first = ByteBuffer.allocate(header.clusterBytes());
    storage.readFully(first, 0);
    return new DirtyImageRepair(storage, header, HeaderExtensions.decode(header, first.flip()))
        .repair();
  }

  /** What is not as it must be after a repair; empty where all is. */
  String complaint(MemoryStorage repaired) throws IOException {
    Header header = header(repaired);
    Refcounts refcounts = new Refcounts(repaired, header, 1 << 16);
    for (Map.Entry<Long, Long> cluster : expected.entrySet()) {
      long found = refcounts.getLocked(cluster.getKey());
      if (found != cluster.getValue()) {
        return "refcount of cluster %d is %d, not %d"
            .formatted(cluster.getKey(), found, cluster.getValue());
      }
    }
    for (long guest : new long[] {0, 3, 4, l2Entries, l2Entries + 7}) {
      if (!isFlaggedRight(repaired, image.l1EntryOffset(guest << clusterBits))
          || !isFlaggedRight(repaired, image.l2EntryOffset(guest << clusterBits))) {
        return "the COPIED flag of guest cluster %d is wrong".formatted(guest);
      }
    }
    return changedData(repaired);
  }

  private boolean isFlaggedRight(MemoryStorage repaired, long at) throws IOException {
    ByteBuffer word = ByteBuffer.allocate(Long.BYTES);
    repaired.readFully(word, at);
    long entry = word.getLong(0);
    Long count = expected.get(clusterOf(entry));
    return count != null && (count == 1) == ((entry & COPIED) != 0);
  }

  /** What of the file has changed, besides tables and the header's first sector. */
  String changedData(MemoryStorage repaired) {
    byte[] after = repaired.bytes();
    for (int at = 512; at < before.length; at++) {
      if (before[at] != after[at] && !tables.contains((long) at >> clusterBits)) {
        return "the byte at host offset 0x%x has changed".formatted(at);
      }
    }
    return "";
  }
}
