package org.qcowfs.alloc;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * References that nobody holds any more, from when that is certain until the refcounts say so. When
 * the host fails in between, the rest is kept for the next attempt: each reference is dropped once.
 *
 * <p>Thread rules: guarded by the metadata lock of the image.
 */
final class ReferenceDrops {
  private final BlockStorage storage;
  private final ClusterGeometry geometry;
  private final Refcounts refcounts;
  private final OverlapCheck overlaps;
  private final Deque<Drop> pending = new ArrayDeque<>();
  private long lowestFreed = Long.MAX_VALUE;

  /** One reference of each cluster of a range. */
  private static final class Drop {
    private long next;
    private final long end;
    private final boolean punch;
    private final boolean shared;

    Drop(long first, long end, boolean punch, boolean shared) {
      this.shared = shared;
      this.next = first;
      this.end = end;
      this.punch = punch;
    }
  }

  ReferenceDrops(
      BlockStorage storage, ClusterGeometry geometry, Refcounts refcounts, OverlapCheck overlaps) {
    this.overlaps = overlaps;
    this.storage = storage;
    this.geometry = geometry;
    this.refcounts = refcounts;
  }

  /**
   * Takes one reference of each cluster from the first to before the end.
   *
   * @param punch give the space of clusters that nobody refers to any more back to the host
   * @param shared the pointer said that there are others, so a last reference is theirs. Where
   *     there is none, the cluster leaks; if it were freed where there is one, it would be lost
   */
  void addLocked(long first, long end, boolean punch, boolean shared) {
    pending.addLast(new Drop(first, end, punch, shared));
  }

  boolean isEmptyLocked() {
    return pending.isEmpty();
  }

  /** Drops all that were added. Clusters that become free may be reused when this has returned. */
  void dropLocked() throws IOException {
    while (!pending.isEmpty()) {
      drop(pending.peekFirst());
      pending.removeFirst();
    }
  }

  /** No cluster that was freed since the last call lies below. */
  long takeLowestFreedLocked() {
    long lowest = lowestFreed;
    lowestFreed = Long.MAX_VALUE;
    return lowest;
  }

  private void drop(Drop drop) throws IOException {
    long freeFrom = drop.next;
    while (drop.next < drop.end) {
      long cluster = drop.next;
      long count = refcounts.getLocked(cluster);
      if (count == 0) {
        drop.next++;
        throw CorruptImageException.ofMetadata(
            "Refcount",
            cluster << geometry.clusterBits(),
            "the cluster is in use, but its refcount is 0");
      }
      boolean last = count == 1 && !drop.shared;
      if (last) {
        overlaps.checkUnused(cluster);
      }
      if (last || count != 1) {
        refcounts.setLocked(cluster, count - 1);
      }
      drop.next++;
      if (!last) {
        freed(freeFrom, cluster, drop.punch);
        freeFrom = drop.next;
      } else {
        lowestFreed = Math.min(lowestFreed, cluster);
      }
    }
    freed(freeFrom, drop.end, drop.punch);
  }

  private void freed(long first, long end, boolean punch) throws IOException {
    if (punch && first < end) {
      storage.punchHole(first << geometry.clusterBits(), (end - first) << geometry.clusterBits());
    }
  }
}
