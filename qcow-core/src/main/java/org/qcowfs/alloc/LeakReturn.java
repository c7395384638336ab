package org.qcowfs.alloc;

import java.io.IOException;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Lowers refcounts of a part of the file to what was counted, and gives the space back. No refcount
 * is ever raised, so a crash on the way leaves a leak at worst.
 *
 * <p>Thread rules: guarded by the metadata lock of the image.
 */
public final class LeakReturn {
  /** Says how far the refcount of a cluster may be lowered. */
  @FunctionalInterface
  public interface Lowest {
    /** What the refcount of the cluster must be at least, given what it is. */
    long refcount(long cluster, long refcount) throws IOException;
  }

  private final BlockStorage storage;
  private final ClusterGeometry geometry;
  private final Refcounts refcounts;
  private final DurabilityClock clock;

  public LeakReturn(
      BlockStorage storage, ClusterGeometry geometry, Refcounts refcounts, DurabilityClock clock) {
    this.storage = storage;
    this.geometry = geometry;
    this.refcounts = refcounts;
    this.clock = clock;
  }

  /**
   * Lowers the refcounts of clusters of the file, and cuts the file where its use ends, as far as
   * the range goes.
   *
   * @param start host offset of the range
   * @param end host offset behind it
   * @return how many references were given back
   */
  public long returnLocked(long start, long end, Lowest lowest) throws IOException {
    long first = start >>> geometry.clusterBits();
    long behind = end >>> geometry.clusterBits();
    long returned = 0;
    long perBlock = refcounts.clustersPerBlock();
    long blocksEnd = Math.min(behind, refcounts.tableEntriesLocked() * perBlock);
    for (long cluster = first; cluster < blocksEnd; ) {
      // Clusters behind the end of the file are counted too where the power failed in its growth.
      if (refcounts.blockOffsetLocked(cluster) == 0) {
        cluster = (cluster / perBlock + 1) * perBlock;
      } else {
        returned += lowerLocked(cluster, lowest);
        cluster++;
      }
    }
    refcounts.writeModifiedLocked();
    clock.settle(clock.ticket());
    cutLocked(first, behind);
    return returned;
  }

  private long lowerLocked(long cluster, Lowest lowest) throws IOException {
    long refcount = refcounts.getLocked(cluster);
    long used = refcount == 0 ? 0 : lowest.refcount(cluster, refcount);
    if (Long.compareUnsigned(refcount, used) <= 0) {
      return 0;
    }
    refcounts.setLocked(cluster, used);
    return refcount - used;
  }

  /** The refcounts are durable: space behind the end of the file that counts as used is a leak. */
  private void cutLocked(long first, long behind) throws IOException {
    long fileEnd = (storage.size() + geometry.clusterBytes() - 1) >>> geometry.clusterBits();
    long end = fileEnd;
    while (end <= behind && end > first && refcounts.getLocked(end - 1) == 0) {
      end--;
    }
    if (end < fileEnd) {
      storage.resize(end << geometry.clusterBits());
    }
  }
}
