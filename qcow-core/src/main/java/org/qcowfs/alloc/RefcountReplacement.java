package org.qcowfs.alloc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.format.Limits;
import org.qcowfs.format.RefcountEntries;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Writes a refcount table and all its blocks anew, behind everything that is in use, and then
 * switches to them. The old ones are not read, and what they take is free afterwards.
 *
 * <p>What survives a crash: the old structures until the switch, the new ones after it.
 *
 * <p>Thread rules: guarded by the metadata lock of the image.
 */
public final class RefcountReplacement {
  private final BlockStorage storage;
  private final ClusterGeometry geometry;
  private final int order;
  private final long perBlock;
  private final ClusterCounts counts;
  private final long first;
  private final NavigableMap<Long, Long> blocks = new TreeMap<>();
  private final long tableClusters;

  /**
   * @param order log2 of the width of a refcount in bits
   * @param counts how often each cluster is referred to, without any refcount structure
   * @param first the first cluster that is free, as are all behind it
   */
  public RefcountReplacement(
      BlockStorage storage, ClusterGeometry geometry, int order, ClusterCounts counts, long first)
      throws UnsupportedFeatureException {
    this.storage = storage;
    this.geometry = geometry;
    this.order = order;
    this.perBlock = (geometry.clusterBytes() * 8L) >>> order;
    this.counts = counts;
    this.first = first;
    this.tableClusters = plan();
  }

  /** Gives every block a place behind the table; how many clusters the table takes. */
  private long plan() throws UnsupportedFeatureException {
    for (long cluster = counts.next(0); cluster >= 0; ) {
      blocks.put(cluster / perBlock, 0L);
      cluster = counts.next((cluster / perBlock + 1) * perBlock);
    }
    long needed = 1;
    while (true) {
      long end = first + needed + blocks.size();
      // Before memory is taken: a sparse file may be longer than any table can count.
      checkLength((end - 1) / perBlock + 1);
      for (long index = first / perBlock; index <= (end - 1) / perBlock; index++) {
        blocks.putIfAbsent(index, 0L);
      }
      checkLength(blocks.lastKey() + 1);
      long bytes = (blocks.lastKey() + 1) * Long.BYTES;
      long tableNow = (bytes + geometry.clusterBytes() - 1) >>> geometry.clusterBits();
      if (tableNow <= needed && first + needed + blocks.size() == end) {
        break;
      }
      needed = Math.max(needed, tableNow);
    }
    long next = first + needed;
    for (long index : blocks.keySet().toArray(Long[]::new)) {
      blocks.put(index, next++);
    }
    return needed;
  }

  private static void checkLength(long entries) throws UnsupportedFeatureException {
    if (entries > Limits.REFCOUNT_TABLE_BYTES / Long.BYTES) {
      throw new UnsupportedFeatureException("its refcount table would exceed 8 MiB");
    }
  }

  /** Writes everything, durably. */
  public void writeLocked(HeaderSector header, DurabilityClock clock) throws IOException {
    int bits = geometry.clusterBits();
    storage.allocate(first << bits, (tableClusters + blocks.size()) << bits);
    ByteBuffer cluster =
        ByteBuffer.allocateDirect(geometry.clusterBytes()).order(ByteOrder.BIG_ENDIAN);
    for (long index : blocks.keySet()) {
      long place = blocks.getOrDefault(index, 0L);
      fill(cluster, index * perBlock);
      storage.write(cluster.clear(), place << bits);
    }
    for (long at = 0; at < tableClusters; at++) {
      fillTable(cluster, at * geometry.clusterBytes() / Long.BYTES);
      storage.write(cluster.clear(), (first + at) << bits);
    }
    clock.settle(clock.ticket());
    header.setRefcountTableLocked(first << bits, Math.toIntExact(tableClusters));
    clock.settle(clock.ticket());
  }

  private void fill(ByteBuffer block, long start) {
    clear(block);
    long end = first + tableClusters + blocks.size();
    for (long cluster = counts.next(start);
        cluster >= 0 && cluster < start + perBlock;
        cluster = counts.next(cluster + 1)) {
      RefcountEntries.put(block, order, (int) (cluster - start), limited(counts.get(cluster)));
    }
    for (long own = Math.max(first, start); own < Math.min(end, start + perBlock); own++) {
      RefcountEntries.put(block, order, (int) (own - start), 1);
    }
  }

  private long limited(long count) {
    return order == 6 ? count : Math.min(count, (1L << (1 << order)) - 1);
  }

  private void fillTable(ByteBuffer cluster, long firstIndex) {
    clear(cluster);
    long behind = firstIndex + geometry.clusterBytes() / Long.BYTES;
    blocks
        .subMap(firstIndex, behind)
        .forEach(
            (index, block) ->
                cluster.putLong(
                    (int) (index - firstIndex) * Long.BYTES, block << geometry.clusterBits()));
  }

  private static void clear(ByteBuffer cluster) {
    cluster.clear();
    while (cluster.hasRemaining()) {
      cluster.putLong(0);
    }
    cluster.clear();
  }
}
