package org.qcowfs.alloc;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.alloc.MetadataClusters.Kind;
import org.qcowfs.cache.TableCache;
import org.qcowfs.cache.TableSlice;
import org.qcowfs.cache.TableWriter;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.Header;
import org.qcowfs.format.RefcountEntries;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * The refcounts of an image: the refcount table, kept in memory whole, and its blocks, of which
 * slices are cached (section "Host cluster management").
 *
 * <p>Invariant: a block may be written at any time. An increment is always allowed to reach the
 * disk early, and a decrement is only made once the pointer is durably gone (rule R2).
 *
 * <p>Thread rules: guarded by the metadata lock of the image.
 */
public final class Refcounts {
  private static final int SECTOR_BYTES = 512;

  private final BlockStorage storage;
  private final ClusterGeometry geometry;
  private final int order;
  private final TableCache cache;
  private final TableWriter writer;
  private final int sliceBytes;
  private final MetadataClusters metadata;
  private long tableOffset;
  private long[] table;

  /**
   * @param cacheBytes memory for slices of blocks; half of it for those that have changed
   */
  public Refcounts(BlockStorage storage, Header header, long cacheBytes) throws IOException {
    this.storage = storage;
    this.geometry = header.geometry();
    this.order = header.refcountOrder();
    this.cache = new TableCache(cacheBytes / 2);
    this.writer = new TableWriter(cache, storage);
    this.sliceBytes = Math.min(geometry.clusterBytes(), TableCache.SLICE_BYTES);
    this.metadata = new MetadataClusters(geometry);
    this.tableOffset = header.refcountTableOffset();
    this.table = readTable(header);
  }

  private long[] readTable(Header header) throws IOException {
    long bytes = (long) header.refcountTableClusters() << header.clusterBits();
    if (tableOffset > storage.size() - bytes) {
      throw new CorruptImageException(
          "Refcount table",
          tableOffset,
          "%d clusters, ends past the end of the file".formatted(header.refcountTableClusters()));
    }
    ByteBuffer buffer = ByteBuffer.allocate((int) bytes);
    storage.readFully(buffer, tableOffset);
    long[] entries = new long[(int) bytes / Long.BYTES];
    buffer.flip().asLongBuffer().get(entries);
    return entries;
  }

  /** How many clusters one block counts. */
  public long clustersPerBlock() {
    return (geometry.clusterBytes() * 8L) >>> order;
  }

  /** The largest refcount that fits, unsigned. */
  public long max() {
    return order == 6 ? -1 : (1L << (1 << order)) - 1;
  }

  /** Which clusters hold metadata; none at first. What becomes free is none from then on. */
  public MetadataClusters metadata() {
    return metadata;
  }

  /** Claims the clusters of the table and of every block. */
  public void claimLocked(StructureClaims claims) throws CorruptImageException {
    claims.claimLocked(Kind.REFCOUNT_TABLE, tableOffset, (long) table.length * Long.BYTES);
    for (long entry : table) {
      long block = RefcountEntries.blockOffset(entry);
      if (block != 0) {
        claims.claimLocked(Kind.REFCOUNT_BLOCK, block, geometry.clusterBytes());
      }
    }
  }

  long tableOffsetLocked() {
    return tableOffset;
  }

  int tableEntriesLocked() {
    return table.length;
  }

  /** Host offset of the block that counts the cluster, or 0 where there is none. */
  long blockOffsetLocked(long cluster) throws CorruptImageException {
    long index = cluster / clustersPerBlock();
    long offset = index < table.length ? RefcountEntries.blockOffset(table[(int) index]) : 0;
    if (!geometry.isClusterAligned(offset)) {
      throw CorruptImageException.ofMetadata(
          "Refcount block",
          offset,
          "the offset in refcount table entry %d is not aligned to a cluster".formatted(index));
    }
    return offset;
  }

  /** The refcount of a cluster; 0 where no block counts it. */
  public long getLocked(long cluster) throws IOException {
    long blockOffset = blockOffsetLocked(cluster);
    if (blockOffset == 0) {
      return 0;
    }
    long bit = bitOf(cluster);
    return word(sliceOf(blockOffset, bit, false), bit) >>> shiftOf(bit) & max();
  }

  /**
   * Changes the refcount of a cluster whose block exists. Where too many have changed to be kept,
   * those before it are handed to the operating system.
   */
  void setLocked(long cluster, long value) throws IOException {
    if (cache.isUnderPressure()) {
      writeModifiedLocked();
    }
    long blockOffset = blockOffsetLocked(cluster);
    if (blockOffset == 0) {
      throw new IllegalStateException("no refcount block for cluster " + cluster);
    }
    long bit = bitOf(cluster);
    TableSlice slice = sliceOf(blockOffset, bit, true);
    long cleared = word(slice, bit) & ~(max() << shiftOf(bit));
    slice.set(wordIndex(bit), cleared | value << shiftOf(bit), 0);
    if (value == 0) {
      metadata.removeLocked(cluster);
    }
  }

  /** Bit offset of the refcount in its block. */
  private long bitOf(long cluster) {
    return (cluster % clustersPerBlock()) << order;
  }

  private TableSlice sliceOf(long blockOffset, long bit, boolean update) throws IOException {
    long offset = blockOffset + (bit / 8 / sliceBytes) * sliceBytes;
    return update
        ? cache.getForUpdateLocked(storage, 0, offset, sliceBytes)
        : cache.get(storage, 0, offset, sliceBytes);
  }

  private int wordIndex(long bit) {
    return (int) (bit / 8 % sliceBytes) / Long.BYTES;
  }

  private long word(TableSlice slice, long bit) {
    return slice.word(wordIndex(bit));
  }

  /** Words are big-endian; refcounts narrower than a byte start at its least significant bit. */
  private int shiftOf(long bit) {
    int byteInWord = (int) (bit / 8 % Long.BYTES);
    int width = 1 << order;
    return width < 8
        ? (Long.BYTES - 1 - byteInWord) * 8 + (int) (bit % 8)
        : Long.SIZE - width - byteInWord * 8;
  }

  /**
   * The first cluster of the range whose refcount is 0, and can be set.
   *
   * @return {@code end} where there is none
   */
  long nextFreeLocked(long from, long end) throws IOException {
    long cluster = from;
    long last = Math.min(end, countableClusters());
    while (cluster < last) {
      if (blockOffsetLocked(cluster) == 0) {
        cluster = (cluster / clustersPerBlock() + 1) * clustersPerBlock();
      } else if (getLocked(cluster) == 0) {
        return cluster;
      } else {
        cluster++;
      }
    }
    return end;
  }

  /** How many clusters the table has room for; a sparse file may have any number more. */
  private long countableClusters() {
    return table.length * clustersPerBlock();
  }

  /**
   * The first cluster of the range whose refcount is not 0, or {@code end}.
   *
   * @param end not behind the last cluster of the block that counts {@code from}
   */
  long nextUsedLocked(long from, long end) throws IOException {
    int perWord = Long.SIZE >>> order;
    long cluster = from;
    while (cluster < end && getLocked(cluster) == 0) {
      long bit = bitOf(cluster);
      boolean skip =
          cluster % perWord == 0 && word(sliceOf(blockOffsetLocked(cluster), bit, false), bit) == 0;
      cluster += skip ? perWord : 1;
    }
    return Math.min(cluster, end);
  }

  /** One cluster more than the last of the range whose refcount is not 0, or {@code from}. */
  long endOfUsedLocked(long from, long end) throws IOException {
    long behind = Math.min(end, countableClusters());
    while (behind > from && getLocked(behind - 1) == 0) {
      behind =
          blockOffsetLocked(behind - 1) == 0
              ? (behind - 1) / clustersPerBlock() * clustersPerBlock()
              : behind - 1;
    }
    return Math.max(from, behind);
  }

  /** The first cluster behind {@code from} that is not free as well, or else {@code end}. */
  long endOfFreeRunLocked(long from, long end) throws IOException {
    long cluster = from;
    while (cluster < end && blockOffsetLocked(cluster) != 0 && getLocked(cluster) == 0) {
      cluster++;
    }
    return cluster;
  }

  /** Enters a block whose cluster reads as zeros, in memory only. */
  void enterBlockLocked(long blockIndex, long hostOffset) {
    table[Math.toIntExact(blockIndex)] = hostOffset;
    metadata.addLocked(Kind.REFCOUNT_BLOCK, hostOffset, geometry.clusterBytes());
  }

  /** Makes room for more entries, in memory only. */
  void enlargeTableLocked(long hostOffset, int entries) {
    long[] larger = new long[entries];
    System.arraycopy(table, 0, larger, 0, table.length);
    table = larger;
    tableOffset = hostOffset;
    metadata.addLocked(Kind.REFCOUNT_TABLE, hostOffset, (long) entries * Long.BYTES);
  }

  /** Writes the sectors that hold these entries. The blocks must be durable. */
  void writeTableEntriesLocked(long firstIndex, long lastIndex) throws IOException {
    int entriesPerSector = SECTOR_BYTES / Long.BYTES;
    int first = (int) (firstIndex / entriesPerSector) * entriesPerSector;
    int end = Math.min(table.length, (int) (lastIndex / entriesPerSector + 1) * entriesPerSector);
    ByteBuffer bytes = ByteBuffer.allocateDirect((end - first) * Long.BYTES);
    bytes.asLongBuffer().put(table, first, end - first);
    storage.write(bytes, tableOffset + (long) first * Long.BYTES);
  }

  /** Hands every changed refcount to the operating system. */
  public void writeModifiedLocked() throws IOException {
    TableWriter.Copies copies = writer.copyLocked();
    boolean written = false;
    try {
      writer.write(copies);
      written = true;
    } finally {
      if (!written) {
        writer.failedLocked(copies);
      }
    }
    writer.doneLocked(copies);
  }

  /** Forgets the refcounts of a block that is no longer one. */
  void forgetLocked(long hostOffset, long bytes) {
    cache.forgetLocked(0, hostOffset, bytes, sliceBytes);
  }
}
