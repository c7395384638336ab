package org.qcowfs.alloc;

import java.io.IOException;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.format.Limits;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Plans how a file grows by a number of clusters: first come the refcount blocks that are missing
 * to count the new clusters (their own included), then a larger refcount table where the old one is
 * full, then the clusters themselves.
 *
 * <p>Thread rules: guarded by the metadata lock of the image.
 */
final class RefcountGrowth {
  private final ClusterGeometry geometry;
  private final Refcounts refcounts;
  private final NavigableSet<Long> uncovered;
  private final long fileEnd;
  private final long first;
  private final long blocks;
  private final long tableClusters;
  private final long clusters;
  private final NavigableSet<Long> missing;
  private final long oldTable;
  private final int oldEntries;
  private boolean entered;
  private long freedOfOldTable;

  /**
   * @param uncovered indices of blocks that must exist afterwards although they count none of the
   *     new clusters
   * @param fileEnd the first cluster that lies behind the file
   * @param clusters how many are wanted
   */
  RefcountGrowth(
      ClusterGeometry geometry,
      Refcounts refcounts,
      NavigableSet<Long> uncovered,
      long fileEnd,
      long clusters)
      throws IOException {
    this.uncovered = uncovered;
    this.fileEnd = fileEnd;
    this.geometry = geometry;
    this.refcounts = refcounts;
    this.clusters = clusters;
    long start = fileEnd;
    long neededBlocks = 0;
    long neededTable = 0;
    while (true) {
      long end = start + neededBlocks + neededTable + clusters;
      long used = lastUsed(start, end);
      if (used >= 0) {
        // A count without a file behind it: a table may name the cluster, so leave it alone.
        start = used + 1;
        neededBlocks = 0;
        neededTable = 0;
        continue;
      }
      long blocksNow = missingBlocks(end).size();
      long tableNow = tableClustersFor(end);
      if (blocksNow <= neededBlocks && tableNow <= neededTable) {
        break;
      }
      neededBlocks = Math.max(neededBlocks, blocksNow);
      neededTable = Math.max(neededTable, tableNow);
    }
    this.first = start;
    this.blocks = neededBlocks;
    this.tableClusters = neededTable;
    this.missing = missingBlocks(endCluster());
    this.oldTable = refcounts.tableOffsetLocked();
    this.oldEntries = refcounts.tableEntriesLocked();
    if (endCluster() << geometry.clusterBits() > Limits.HOST_OFFSET) {
      throw new UnsupportedFeatureException("the image file cannot grow beyond 2^56 bytes");
    }
  }

  /** The last cluster of the range that is counted as used, or -1. */
  private long lastUsed(long start, long end) throws IOException {
    for (long cluster = end - 1; cluster >= start; cluster--) {
      if (refcounts.getLocked(cluster) != 0) {
        return cluster;
      }
    }
    return -1;
  }

  /** Indices of the blocks that must be made so that everything behind the file is counted. */
  private NavigableSet<Long> missingBlocks(long end) throws IOException {
    NavigableSet<Long> missing = new TreeSet<>(uncovered);
    long perBlock = refcounts.clustersPerBlock();
    for (long index = fileEnd / perBlock; index <= (end - 1) / perBlock; index++) {
      if (refcounts.blockOffsetLocked(index * perBlock) == 0) {
        missing.add(index);
      }
    }
    return missing;
  }

  /**
   * Clusters of a new refcount table, with room for half as much again; 0 where the old one does.
   */
  private long tableClustersFor(long end) throws UnsupportedFeatureException {
    long entries = (end - 1) / refcounts.clustersPerBlock() + 1;
    if (entries <= refcounts.tableEntriesLocked()) {
      return 0;
    }
    long bytes = (entries + entries / 2) * Long.BYTES;
    if (bytes > Limits.REFCOUNT_TABLE_BYTES) {
      bytes = Limits.REFCOUNT_TABLE_BYTES;
      if (entries * Long.BYTES > bytes) {
        throw new UnsupportedFeatureException(
            "the image file cannot grow: its refcount table would exceed 8 MiB");
      }
    }
    return (bytes + geometry.clusterBytes() - 1) >>> geometry.clusterBits();
  }

  /** Takes the space of blocks and table from the host, while a failure still changes nothing. */
  void secureSpace(BlockStorage storage) throws IOException {
    if (addsBlocks()) {
      storage.allocate(
          first << geometry.clusterBits(), (blocks + tableClusters) << geometry.clusterBits());
    }
  }

  boolean addsBlocks() {
    return blocks > 0 || tableClusters > 0;
  }

  boolean replacesTable() {
    return tableClusters > 0;
  }

  long firstDataCluster() {
    return first + blocks + tableClusters;
  }

  long endCluster() {
    return firstDataCluster() + clusters;
  }

  /** First cluster that is free once the growth is written: of the old table, or behind the new. */
  long firstFreeCluster() {
    return replacesTable() ? oldTable >>> geometry.clusterBits() : firstDataCluster();
  }

  /**
   * Writes the new blocks and, if need be, the new table. The space for them has been secured. In
   * order (R3): the contents are durable before what points to them.
   *
   * @param counts what the new blocks count, besides what is new
   * @throws IOException when the host fails. It is to be called again then, before anything else is
   *     allocated: how much of it is in the file is not known, and every step may be made twice
   */
  void writeLocked(
      BlockStorage storage, HeaderSector header, DurabilityClock clock, ClusterCounts counts)
      throws IOException {
    if (!entered) {
      enterTable();
      enterBlocks(missing, counts);
      for (long cluster = first; cluster < firstDataCluster(); cluster++) {
        refcounts.setLocked(cluster, 1);
      }
      entered = true;
    }
    refcounts.writeModifiedLocked();
    if (tableClusters > 0) {
      refcounts.writeTableEntriesLocked(0, refcounts.tableEntriesLocked() - 1L);
      clock.settle(clock.ticket());
      header.setRefcountTableLocked(refcounts.tableOffsetLocked(), (int) tableClusters);
      clock.settle(clock.ticket());
      freeOldTable();
    } else {
      clock.settle(clock.ticket());
      refcounts.writeTableEntriesLocked(missing.first(), missing.last());
    }
  }

  private void enterTable() {
    long offset = (first + blocks) << geometry.clusterBits();
    if (tableClusters > 0 && refcounts.tableOffsetLocked() != offset) {
      refcounts.enlargeTableLocked(
          offset, Math.toIntExact((tableClusters << geometry.clusterBits()) / Long.BYTES));
    }
  }

  private void enterBlocks(NavigableSet<Long> indices, ClusterCounts counts) throws IOException {
    if (indices.size() != blocks) {
      throw new IllegalStateException(
          "planned %d blocks, need %d".formatted(blocks, indices.size()));
    }
    long next = first;
    for (long index : indices) {
      long hostOffset = next << geometry.clusterBits();
      refcounts.forgetLocked(hostOffset, geometry.clusterBytes());
      refcounts.enterBlockLocked(index, hostOffset);
      next++;
    }
    for (long index : indices) {
      long start = index * refcounts.clustersPerBlock();
      long behind = start + refcounts.clustersPerBlock();
      for (long cluster = counts.next(start);
          cluster >= 0 && cluster < behind;
          cluster = counts.next(cluster + 1)) {
        long count = counts.get(cluster);
        boolean fits = Long.compareUnsigned(count, refcounts.max()) <= 0;
        refcounts.setLocked(cluster, fits ? count : refcounts.max());
      }
    }
  }

  private void freeOldTable() throws IOException {
    long firstOld = oldTable >>> geometry.clusterBits();
    long count = ((long) oldEntries * Long.BYTES) >>> geometry.clusterBits();
    while (freedOfOldTable < count) {
      long cluster = firstOld + freedOfOldTable;
      refcounts.setLocked(cluster, refcounts.getLocked(cluster) - 1);
      freedOfOldTable++;
    }
  }
}
