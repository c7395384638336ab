package org.qcowfs.alloc;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.HostIoException;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Hands out clusters of the image file and takes them back.
 *
 * <p>Clusters are reserved ahead in batches: their refcount is 1 on disk, they lie within the file,
 * and they read as zeros, before anything points to them. So a pointer to one may be written at
 * once, and what makes the batch durable is the flush that a guest asks for anyway. A crash leaks
 * at most the reserve; a clean close gives it back.
 *
 * <p>Invariant (R1, R5): a pointer to a cluster that was handed out requires the ticket that came
 * with it. Invariant (R2): a cluster that was freed has refcount 1 or more on disk until {@link
 * #releaseLocked} is told that no durable pointer names it.
 *
 * <p>Thread rules: guarded by the metadata lock of the image.
 */
public final class HostSpace {
  private static final long MAX_BATCH_BYTES = 16 << 20;
  private static final int MIN_BATCH_CLUSTERS = 4;
  private static final int MAX_BATCH_CLUSTERS = 4096;

  /**
   * Clusters that follow each other.
   *
   * @param hostOffset of the first
   * @param count how many
   * @param ticket what must be durable before a pointer to them may be written
   */
  public record Allocation(long hostOffset, int count, long ticket) {}

  private final BlockStorage storage;
  private final ClusterGeometry geometry;
  private final Refcounts refcounts;
  private final DurabilityClock clock;
  private final LeakRecord leaks;
  private final Reserve reserve = new Reserve();

  /** No cluster below is free. */
  private long searchFrom;

  private final FileEnd fileEnd;
  private long batchClusters;
  private boolean refcountsPostponed;
  private final ReferenceDrops drops;
  private final OverlapCheck overlaps;

  /**
   * @param leaks where to note what a crash may leak
   * @param reserveBytes how much to reserve ahead at first
   */
  public HostSpace(
      BlockStorage storage,
      ClusterGeometry geometry,
      Refcounts refcounts,
      HeaderSector header,
      DurabilityClock clock,
      LeakRecord leaks,
      long reserveBytes)
      throws IOException {
    this.leaks = leaks;
    this.storage = storage;
    this.geometry = geometry;
    this.refcounts = refcounts;
    this.clock = clock;
    this.fileEnd = new FileEnd(storage, geometry, refcounts, header, clock, leaks);
    this.overlaps = new OverlapCheck(geometry, refcounts.metadata(), fileEnd);
    this.drops = new ReferenceDrops(storage, geometry, refcounts, overlaps);
    this.batchClusters = clamp(reserveBytes >>> geometry.clusterBits(), MAX_BATCH_CLUSTERS / 2);
  }

  private static long clamp(long clusters, long max) {
    return Math.max(MIN_BATCH_CLUSTERS, Math.min(clusters, max));
  }

  /** What keeps writes off the metadata. */
  public OverlapCheck overlaps() {
    return overlaps;
  }

  /** Which clusters hold metadata. */
  public MetadataClusters metadata() {
    return refcounts.metadata();
  }

  /** Lazy refcounts: changed refcounts stay in memory until {@link #closeLocked}. */
  public void setRefcountsPostponedLocked(boolean value) {
    refcountsPostponed = value;
  }

  /**
   * Takes up to so many clusters that follow each other, all of which read as zeros.
   *
   * @return at least one
   */
  public Allocation allocateLocked(int wanted) throws IOException {
    if (reserve.isEmpty()) {
      // The reserve did not last from one flush to the next: make it last longer.
      long max = clamp(MAX_BATCH_BYTES >>> geometry.clusterBits(), MAX_BATCH_CLUSTERS);
      batchClusters = Math.min(Math.max(batchClusters * 2, wanted), max);
      refillLocked();
    }
    Reserve.Range taken = reserve.take(wanted);
    return new Allocation(
        taken.firstCluster() << geometry.clusterBits(), (int) taken.count(), taken.ticket());
  }

  /**
   * Fills the reserve up where it is running low. To be called before a flush-to-disk, which then
   * makes the new part durable at no cost of its own. Where the host has no room the reserve stays
   * as it is: a flush needs none of it, and whoever does is told.
   */
  public void topUpLocked() throws IOException {
    if (reserve.clusterCount() >= batchClusters / 2) {
      return;
    }
    try {
      refillLocked();
    } catch (HostIoException e) {
      if (!e.isLackOfSpace()) {
        throw e;
      }
    }
  }

  /** A batch for which there is no room is tried again smaller: the last clusters count, too. */
  private void refillLocked() throws IOException {
    while (true) {
      try {
        refillOnceLocked();
        return;
      } catch (HostIoException e) {
        if (!e.isLackOfSpace() || batchClusters <= MIN_BATCH_CLUSTERS) {
          throw e;
        }
        batchClusters = Math.max(MIN_BATCH_CLUSTERS, batchClusters / 2);
      }
    }
  }

  private void refillOnceLocked() throws IOException {
    dropReferencesLocked();
    finishGrowthLocked();
    checkHeaderCountedLocked();
    List<Reserve.Range> found = new ArrayList<>();
    boolean reserved = false;
    try {
      findFreeLocked(found);
      long missing = batchClusters - found.stream().mapToLong(Reserve.Range::count).sum();
      if (missing > batchClusters / 2) {
        growLocked(missing, found);
      }
      for (Reserve.Range range : found) {
        leaks.coverLocked(
            range.firstCluster() << geometry.clusterBits(),
            range.count() << geometry.clusterBits());
      }
      if (!refcountsPostponed) {
        refcounts.writeModifiedLocked();
      }
      reserved = true;
    } finally {
      if (!reserved) {
        takeBackLocked(found);
      }
    }
    long ticket = clock.ticket();
    for (Reserve.Range range : found) {
      reserve.add(new Reserve.Range(range.firstCluster(), range.count(), ticket));
    }
  }

  /** Where not even the header counts as used, refcounts tell nothing of what is free. */
  private void checkHeaderCountedLocked() throws IOException {
    if (refcounts.getLocked(0) == 0) {
      throw CorruptImageException.ofMetadata("Refcount", 0, "the header counts as a free cluster");
    }
  }

  /** What was counted and is not wanted after all. */
  private void takeBackLocked(List<Reserve.Range> counted) {
    for (Reserve.Range range : counted) {
      drops.addLocked(range.firstCluster(), range.firstCluster() + range.count(), false, false);
    }
  }

  private void findFreeLocked(List<Reserve.Range> found) throws IOException {
    long missing = batchClusters;
    while (missing > 0) {
      long first = refcounts.nextFreeLocked(Math.max(1, searchFrom), fileEnd.clusterLocked());
      long end =
          refcounts.endOfFreeRunLocked(first, Math.min(first + missing, fileEnd.clusterLocked()));
      searchFrom = first;
      if (first == end) {
        return;
      }
      overlaps.checkFree(first, end);
      countUsedLocked(first, end, found);
      searchFrom = end;
      missing -= end - first;
      // What the clusters held before must not be seen through a pointer that outlives its data.
      storage.punchHole(first << geometry.clusterBits(), (end - first) << geometry.clusterBits());
    }
  }

  /** Counts free clusters as used; those that were counted are noted, even where not all were. */
  private void countUsedLocked(long first, long end, List<Reserve.Range> counted)
      throws IOException {
    long cluster = first;
    try {
      while (cluster < end) {
        refcounts.setLocked(cluster, 1);
        cluster++;
      }
    } finally {
      if (cluster > first) {
        counted.add(new Reserve.Range(first, cluster - first, 0));
      }
    }
  }

  /** Grows the file by so many clusters, counted as used. */
  private void growLocked(long clusters, List<Reserve.Range> counted) throws IOException {
    FileEnd.Growth growth = fileEnd.growLocked(clusters);
    searchFrom = Math.min(searchFrom, fileEnd.takeLowestFreedLocked());
    countUsedLocked(growth.firstCluster(), growth.endCluster(), counted);
  }

  /** What a growth that failed half-way adds is free clusters of the file, once it is written. */
  private void finishGrowthLocked() throws IOException {
    fileEnd.finishGrowthLocked();
    searchFrom = Math.min(searchFrom, fileEnd.takeLowestFreedLocked());
  }

  /** Notes that a crash may leak a range, before what counts for it disappears from the file. */
  public void noteLeakOfLocked(long hostOffset, long bytes) throws IOException {
    leaks.coverLocked(hostOffset, bytes);
  }

  /**
   * Takes clusters that follow each other and are not from the reserve, for a table that must be in
   * one piece. They read as zeros.
   */
  public Allocation allocateContiguousLocked(int count) throws IOException {
    dropReferencesLocked();
    finishGrowthLocked();
    List<Reserve.Range> grown = new ArrayList<>();
    boolean counted = false;
    try {
      growLocked(count, grown);
      refcounts.writeModifiedLocked();
      counted = true;
    } finally {
      if (!counted) {
        takeBackLocked(grown);
      }
    }
    long first = grown.get(0).firstCluster();
    return new Allocation(first << geometry.clusterBits(), count, clock.ticket());
  }

  /**
   * Makes sure that a cluster just handed out takes up space on the host, so that later writes fit.
   */
  public void secureSpace(long hostOffset, long bytes) throws IOException {
    storage.allocate(hostOffset, bytes);
  }

  /**
   * Takes one reference from each cluster of a range, at the next {@link #dropReferencesLocked}. No
   * durable pointer that counted for it may be left, and no request that could still use it.
   *
   * @param punch give the space of clusters that nobody refers to any more back to the host
   * @param shared there are other pointers to the clusters, so their last reference stays
   */
  public void releaseLocked(long hostOffset, long bytes, boolean punch, boolean shared) {
    long first = hostOffset >>> geometry.clusterBits();
    long end = (hostOffset + bytes + geometry.clusterBytes() - 1) >>> geometry.clusterBits();
    drops.addLocked(first, end, punch, shared);
  }

  /** Drops the references that were released; those that cannot be dropped now stay for later. */
  public void dropReferencesLocked() throws IOException {
    try {
      drops.dropLocked();
    } finally {
      searchFrom = Math.min(searchFrom, drops.takeLowestFreedLocked());
    }
  }

  /** The refcount of the cluster at the host offset. */
  public long refcountLocked(long hostOffset) throws IOException {
    return refcounts.getLocked(hostOffset >>> geometry.clusterBits());
  }

  /**
   * Asserts that nobody else has cut the file off, and refuses to go on for good if so. Needs no
   * lock.
   */
  public void checkWhole() throws IOException {
    fileEnd.checkWhole();
  }

  /** Hands changed refcounts to the operating system, unless they are postponed. */
  public void writeRefcountsLocked() throws IOException {
    if (!refcountsPostponed) {
      refcounts.writeModifiedLocked();
    }
  }

  /** Nothing is left that a crash could leak; to be called when that is durable. */
  public void forgetLeaksLocked() throws IOException {
    leaks.clearLocked();
  }

  /** Gives the reserve back, and the end of the file that nobody uses. */
  public void closeLocked() throws IOException {
    takeBackLocked(reserve.takeAll());
    dropReferencesLocked();
    finishGrowthLocked();
    refcounts.writeModifiedLocked();
    fileEnd.cutBackLocked();
  }
}
