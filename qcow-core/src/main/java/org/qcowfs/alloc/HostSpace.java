package org.qcowfs.alloc;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
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

  private static final int EFBIG = 27;
  private static final int ENOSPC = 28;
  private static final int EDQUOT = 122;

  /**
   * Clusters that follow each other.
   *
   * @param hostOffset of the first
   * @param count how many
   * @param ticket what must be durable before a pointer to them may be written
   */
  public record Allocation(long hostOffset, int count, long ticket) {}

  private record Reserved(long firstCluster, long count, long ticket) {}

  private final BlockStorage storage;
  private final ClusterGeometry geometry;
  private final Refcounts refcounts;
  private final HeaderSector header;
  private final DurabilityClock clock;
  private final LeakRecord leaks;
  private final Deque<Reserved> reserve = new ArrayDeque<>();

  /** No cluster below is free. */
  private long searchFrom;

  /** First cluster that lies behind the file as a whole. */
  private long fileEnd;

  private final long initialFileEnd;
  private long batchClusters;
  private boolean refcountsPostponed;

  /** Why the refcount structures can no longer grow, if they cannot. */
  private @Nullable IOException failure;

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
    this.header = header;
    this.clock = clock;
    this.fileEnd = (storage.size() + geometry.clusterBytes() - 1) >>> geometry.clusterBits();
    this.initialFileEnd = fileEnd;
    this.batchClusters = clamp(reserveBytes >>> geometry.clusterBits(), MAX_BATCH_CLUSTERS / 2);
  }

  private static long clamp(long clusters, long max) {
    return Math.max(MIN_BATCH_CLUSTERS, Math.min(clusters, max));
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
    Reserved first = reserve.removeFirst();
    int count = (int) Math.min(wanted, first.count());
    if (count < first.count()) {
      reserve.addFirst(
          new Reserved(first.firstCluster() + count, first.count() - count, first.ticket()));
    }
    return new Allocation(first.firstCluster() << geometry.clusterBits(), count, first.ticket());
  }

  /**
   * Fills the reserve up where it is running low. To be called before a flush-to-disk, which then
   * makes the new part durable at no cost of its own. Where the host has no room the reserve stays
   * as it is: a flush needs none of it, and whoever does is told.
   */
  public void topUpLocked() throws IOException {
    long reserved = reserve.stream().mapToLong(Reserved::count).sum();
    if (reserved >= batchClusters / 2) {
      return;
    }
    try {
      refillLocked();
    } catch (HostIoException e) {
      if (!isLackOfSpace(e)) {
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
        if (!isLackOfSpace(e) || batchClusters <= MIN_BATCH_CLUSTERS) {
          throw e;
        }
        batchClusters = Math.max(MIN_BATCH_CLUSTERS, batchClusters / 2);
      }
    }
  }

  private static boolean isLackOfSpace(HostIoException e) {
    return e.errno() == ENOSPC || e.errno() == EFBIG || e.errno() == EDQUOT;
  }

  private void refillOnceLocked() throws IOException {
    List<Reserved> found = new ArrayList<>();
    try {
      findFreeLocked(found);
      long missing = batchClusters - found.stream().mapToLong(Reserved::count).sum();
      if (missing > batchClusters / 2) {
        found.add(growLocked(missing));
      }
      for (Reserved range : found) {
        noteLeakLocked(range.firstCluster(), range.count());
      }
      if (!refcountsPostponed) {
        refcounts.writeModifiedLocked();
      }
    } catch (IOException | RuntimeException e) {
      for (Reserved range : found) {
        countLocked(range, 0);
        searchFrom = Math.min(searchFrom, range.firstCluster());
      }
      throw e;
    }
    long ticket = clock.ticket();
    for (Reserved range : found) {
      reserve.addLast(new Reserved(range.firstCluster(), range.count(), ticket));
    }
  }

  private void findFreeLocked(List<Reserved> found) throws IOException {
    long missing = batchClusters;
    while (missing > 0) {
      Reserved free = nextFreeRunLocked(missing);
      if (free.count() == 0) {
        return;
      }
      found.add(free);
      missing -= free.count();
      // What the clusters held before must not be seen through a pointer that outlives its data.
      storage.punchHole(
          free.firstCluster() << geometry.clusterBits(), free.count() << geometry.clusterBits());
    }
  }

  private void countLocked(Reserved range, long refcount) throws IOException {
    long end = range.firstCluster() + range.count();
    for (long cluster = range.firstCluster(); cluster < end; cluster++) {
      refcounts.setLocked(cluster, refcount);
    }
  }

  /**
   * Counts up to so many free clusters of the file as used; the count is 0 where there are none.
   */
  private Reserved nextFreeRunLocked(long max) throws IOException {
    long first = refcounts.nextFreeLocked(Math.max(1, searchFrom), fileEnd);
    long end = first;
    while (end < fileEnd
        && end - first < max
        && refcounts.blockOffsetLocked(end) != 0
        && refcounts.getLocked(end) == 0) {
      refcounts.setLocked(end, 1);
      end++;
    }
    searchFrom = end;
    return new Reserved(first, end - first, 0);
  }

  /** Grows the file by so many clusters, counted as used, and by what counting them takes. */
  private Reserved growLocked(long clusters) throws IOException {
    if (failure != null) {
      throw failure;
    }
    RefcountGrowth growth =
        new RefcountGrowth(geometry, refcounts, Collections.emptyNavigableSet(), fileEnd, clusters);
    noteLeakLocked(fileEnd, growth.endCluster() - fileEnd);
    if (growth.replacesTable()) {
      leaks.coverLocked(
          refcounts.tableOffsetLocked(), (long) refcounts.tableEntriesLocked() * Long.BYTES);
    }
    growth.secureSpace(storage);
    storage.resize(growth.endCluster() << geometry.clusterBits());
    if (growth.addsBlocks()) {
      try {
        growth.writeLocked(storage, header, clock, new ClusterCounts());
      } catch (IOException e) {
        failure = e;
        throw e;
      }
    }
    fileEnd = growth.endCluster();
    growth.replacedTable().ifPresent(old -> searchFrom = Math.min(searchFrom, old));
    Reserved grown =
        new Reserved(growth.firstDataCluster(), growth.endCluster() - growth.firstDataCluster(), 0);
    countLocked(grown, 1);
    return grown;
  }

  private void noteLeakLocked(long firstCluster, long count) throws IOException {
    leaks.coverLocked(firstCluster << geometry.clusterBits(), count << geometry.clusterBits());
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
    Reserved grown = growLocked(count);
    refcounts.writeModifiedLocked();
    return new Allocation(grown.firstCluster() << geometry.clusterBits(), count, clock.ticket());
  }

  /**
   * Makes sure that a cluster just handed out takes up space on the host, so that later writes fit.
   */
  public void secureSpace(long hostOffset, long bytes) throws IOException {
    storage.allocate(hostOffset, bytes);
  }

  /**
   * Takes one reference from each cluster of a range. No durable pointer that counted for it may be
   * left, and no request that could still use it.
   *
   * @param punch give the space of clusters that nobody refers to any more back to the host
   */
  public void releaseLocked(long hostOffset, long bytes, boolean punch) throws IOException {
    long first = hostOffset >>> geometry.clusterBits();
    long end = (hostOffset + bytes + geometry.clusterBytes() - 1) >>> geometry.clusterBits();
    long freeFrom = first;
    for (long cluster = first; cluster < end; cluster++) {
      long count = refcounts.getLocked(cluster);
      if (count == 0) {
        throw new CorruptImageException(
            "Refcount",
            cluster << geometry.clusterBits(),
            "the cluster is in use, but its refcount is 0");
      }
      refcounts.setLocked(cluster, count - 1);
      if (count != 1) {
        punchLocked(freeFrom, cluster, punch);
        freeFrom = cluster + 1;
      }
    }
    punchLocked(freeFrom, end, punch);
  }

  private void punchLocked(long firstCluster, long endCluster, boolean punch) throws IOException {
    if (firstCluster < endCluster) {
      searchFrom = Math.min(searchFrom, firstCluster);
      if (punch) {
        storage.punchHole(
            firstCluster << geometry.clusterBits(),
            (endCluster - firstCluster) << geometry.clusterBits());
      }
    }
  }

  /** The refcount of the cluster at the host offset. */
  public long refcountLocked(long hostOffset) throws IOException {
    return refcounts.getLocked(hostOffset >>> geometry.clusterBits());
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
    while (!reserve.isEmpty()) {
      countLocked(reserve.peekFirst(), 0);
      reserve.removeFirst();
    }
    refcounts.writeModifiedLocked();
    long end = fileEnd;
    while (end > initialFileEnd && refcounts.getLocked(end - 1) == 0) {
      end--;
    }
    if (end < fileEnd) {
      // The refcounts first: space behind the end of the file that counts as used is a leak.
      clock.settle(clock.ticket());
      storage.resize(end << geometry.clusterBits());
      fileEnd = end;
    }
  }
}
