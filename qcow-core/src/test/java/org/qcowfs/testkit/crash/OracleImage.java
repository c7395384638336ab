package org.qcowfs.testkit.crash;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.qcowfs.testkit.storage.MemoryStorage;

/** The bytes of an image by their names in the specification, as the oracle reads them. */
final class OracleImage {
  static final long OFFSET = 0x00ff_ffff_ffff_fe00L;
  static final long COMPRESSED = 1L << 62;
  private static final long ZERO = 1;
  private static final long EXTENDED_L2 = 1 << 4;
  private static final long DATA_FILE = 1 << 2;
  private static final int SECTOR_BYTES = 512;
  private static final int SUBCLUSTERS = 32;
  private static final int MAX_CACHED_BYTES = 8 << 20;

  private final byte[] bytes;
  private final ByteBuffer file;
  private final HostFiles files;
  private final long[] backing;
  private final int version;
  private final int clusterBits;
  private final long incompatible;
  private final int refcountOrder;

  /** An internal snapshot. */
  record Snapshot(long l1Offset, int l1Entries, long diskBytes) {}

  /**
   * @param backing the stamps of the backing file's sectors; empty where there is none
   */
  OracleImage(HostFiles files, long[] backing) {
    this.files = files;
    this.backing = backing;
    if (files.image().size() > MAX_CACHED_BYTES * 8L) {
      throw new IllegalArgumentException("the image has " + files.image().size() + " bytes");
    }
    this.bytes = files.image().bytes();
    this.file = ByteBuffer.wrap(bytes);
    this.version = file.getInt(4);
    this.clusterBits = file.getInt(20);
    this.incompatible = version >= 3 ? file.getLong(72) : 0;
    this.refcountOrder = version >= 3 ? file.getInt(96) : 4;
  }

  /** A big-endian word of the file; zero behind its end. */
  long word(long hostOffset) {
    return hostOffset + Long.BYTES <= bytes.length ? file.getLong((int) hostOffset) : 0;
  }

  int clusterBytes() {
    return 1 << clusterBits;
  }

  long clustersInFile() {
    return (bytes.length + clusterBytes() - 1L) >>> clusterBits;
  }

  long incompatible() {
    return incompatible;
  }

  boolean hasDataFile() {
    return (incompatible & DATA_FILE) != 0;
  }

  long virtualSize() {
    return file.getLong(24);
  }

  int l1Entries() {
    return file.getInt(36);
  }

  long l1Offset() {
    return file.getLong(40);
  }

  long refcountTableOffset() {
    return file.getLong(48);
  }

  int refcountTableClusters() {
    return file.getInt(56);
  }

  long snapshotsOffset() {
    return file.getLong(64);
  }

  private boolean isExtended() {
    return (incompatible & EXTENDED_L2) != 0;
  }

  private int l2EntryBytes() {
    return isExtended() ? 16 : 8;
  }

  int l2Entries() {
    return clusterBytes() / l2EntryBytes();
  }

  long l2Entry(long table, int index) {
    return word(table + (long) index * l2EntryBytes());
  }

  private int offsetBitsOfCompressed() {
    return 62 - (clusterBits - 8);
  }

  long compressedOffset(long entry) {
    return entry & ((1L << offsetBitsOfCompressed()) - 1);
  }

  /** From the sector on in which the data begins, to the end of the last one. */
  long compressedBytes(long entry) {
    long more = (entry & (COMPRESSED - 1)) >>> offsetBitsOfCompressed();
    return (more + 1) * SECTOR_BYTES;
  }

  long refcount(long cluster) {
    long perBlock = (clusterBytes() * 8L) >>> refcountOrder;
    long index = cluster / perBlock;
    if (index >= (long) refcountTableClusters() * clusterBytes() / Long.BYTES) {
      return 0;
    }
    long block = word(refcountTableOffset() + index * Long.BYTES);
    return block == 0 ? 0 : refcountIn(block, cluster % perBlock);
  }

  private long refcountIn(long block, long index) {
    if (block + clusterBytes() > bytes.length) {
      return 0;
    }
    int at = (int) block;
    return switch (refcountOrder) {
      case 3 -> bytes[at + (int) index] & 0xffL;
      case 4 -> file.getShort(at + (int) index * 2) & 0xffffL;
      case 5 -> file.getInt(at + (int) index * 4) & 0xffff_ffffL;
      case 6 -> file.getLong(at + (int) index * 8);
      default -> {
        long bit = index << refcountOrder;
        yield bytes[at + (int) (bit / 8)] >>> (bit % 8) & ((1 << (1 << refcountOrder)) - 1);
      }
    };
  }

  List<Snapshot> snapshots() {
    List<Snapshot> snapshots = new ArrayList<>();
    int at = (int) snapshotsOffset();
    for (int i = 0; i < file.getInt(60); i++) {
      int extra = file.getInt(at + 36);
      long diskBytes = extra >= 16 ? file.getLong(at + 48) : virtualSize();
      snapshots.add(new Snapshot(file.getLong(at), file.getInt(at + 8), diskBytes));
      at += snapshotBytes(at);
    }
    return snapshots;
  }

  long snapshotTableBytes() {
    int at = (int) snapshotsOffset();
    for (int i = 0; i < file.getInt(60); i++) {
      at += snapshotBytes(at);
    }
    return at - snapshotsOffset();
  }

  private int snapshotBytes(int at) {
    int names = (file.getShort(at + 12) & 0xffff) + (file.getShort(at + 14) & 0xffff);
    return (40 + file.getInt(at + 36) + names + 7) / 8 * 8;
  }

  /** Fills the buffer with what the guest reads in one cluster. */
  void readCluster(long l1Offset, int l1Entries, long guestCluster, byte[] cluster) {
    long l1Index = guestCluster / l2Entries();
    long table = l1Index < l1Entries ? word(l1Offset + l1Index * Long.BYTES) & OFFSET : 0;
    int index = (int) (guestCluster % l2Entries());
    long entry = table == 0 ? 0 : l2Entry(table, index);
    if ((entry & COMPRESSED) != 0) {
      inflate(entry, cluster);
    } else if (isExtended()) {
      long bitmap = table == 0 ? 0 : word(table + (long) index * l2EntryBytes() + Long.BYTES);
      readSubclusters(entry & OFFSET, bitmap, guestCluster, cluster);
    } else if (version >= 3 && (entry & ZERO) != 0) {
      Arrays.fill(cluster, (byte) 0);
    } else if (isPlaced(entry, guestCluster)) {
      readStored(entry & OFFSET, 0, clusterBytes(), cluster);
    } else {
      readBacking(guestCluster, 0, clusterBytes(), cluster);
    }
  }

  /** With a data file, offset 0 is a place if the COPIED flag says so. */
  private boolean isPlaced(long entry, long guestCluster) {
    return (entry & OFFSET) != 0 || (hasDataFile() && entry < 0 && guestCluster == 0);
  }

  private void readSubclusters(long hostOffset, long bitmap, long guestCluster, byte[] cluster) {
    int length = clusterBytes() / SUBCLUSTERS;
    for (int i = 0; i < SUBCLUSTERS; i++) {
      if ((bitmap >>> (SUBCLUSTERS + i) & 1) != 0) {
        Arrays.fill(cluster, i * length, (i + 1) * length, (byte) 0);
      } else if ((bitmap >>> i & 1) != 0) {
        readStored(hostOffset, i * length, length, cluster);
      } else {
        readBacking(guestCluster, i * length, length, cluster);
      }
    }
  }

  private void readStored(long hostOffset, int from, int length, byte[] cluster) {
    Arrays.fill(cluster, from, from + length, (byte) 0);
    if (hasDataFile()) {
      MemoryStorage data = files.guestData();
      data.read(ByteBuffer.wrap(cluster, from, length), hostOffset + from);
    } else if (hostOffset + from < bytes.length) {
      int present = (int) Math.min(length, bytes.length - hostOffset - from);
      System.arraycopy(bytes, (int) hostOffset + from, cluster, from, present);
    }
  }

  private void readBacking(long guestCluster, int from, int length, byte[] cluster) {
    ByteBuffer words = ByteBuffer.wrap(cluster);
    for (int at = from; at < from + length; at += SECTOR_BYTES) {
      long sector = ((guestCluster << clusterBits) + at) / SECTOR_BYTES;
      long stamp = sector < backing.length ? backing[(int) sector] : 0;
      for (int i = 0; i < SECTOR_BYTES; i += Long.BYTES) {
        words.putLong(at + i, stamp);
      }
    }
  }

  private void inflate(long entry, byte[] cluster) {
    long start = compressedOffset(entry);
    int available = (int) (compressedBytes(entry) - start % SECTOR_BYTES);
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(bytes, (int) start, (int) Math.min(available, bytes.length - start));
      int count = inflater.inflate(cluster);
      Arrays.fill(cluster, count, clusterBytes(), (byte) 0xff);
    } catch (DataFormatException e) {
      Arrays.fill(cluster, (byte) 0xff);
      cluster[0] = 0;
    } finally {
      inflater.end();
    }
  }
}
