package org.qcowfs.alloc;

import java.io.IOException;
import java.util.Collections;
import org.jspecify.annotations.Nullable;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.error.HostIoException;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * The end of the image file: moves on when clusters are needed, with the refcount blocks that count
 * them, and back at a clean end. When somebody else has moved it back, it stays there.
 *
 * <p>Invariant: as long as nobody else changes the file, it is no shorter than {@code knownBytes}.
 *
 * <p>Thread rules: guarded by the metadata lock of the image, but for {@link #checkWhole}.
 */
final class FileEnd {
  /**
   * Clusters by which the file has grown. They are free.
   *
   * @param firstCluster the first of them
   * @param endCluster the one behind the last
   */
  record Growth(long firstCluster, long endCluster) {}

  private static final int EIO = 5;

  private final BlockStorage storage;
  private final ClusterGeometry geometry;
  private final Refcounts refcounts;
  private final HeaderSector header;
  private final DurabilityClock clock;
  private final LeakRecord leaks;
  private final long initialCluster;

  /** First cluster that lies behind the file as a whole. */
  private long cluster;

  private volatile long knownBytes;

  /** What failed half-way, and must be finished before anything else is taken. */
  private @Nullable RefcountGrowth unfinished;

  private long lowestFreed = Long.MAX_VALUE;

  FileEnd(
      BlockStorage storage,
      ClusterGeometry geometry,
      Refcounts refcounts,
      HeaderSector header,
      DurabilityClock clock,
      LeakRecord leaks)
      throws IOException {
    this.storage = storage;
    this.geometry = geometry;
    this.refcounts = refcounts;
    this.header = header;
    this.clock = clock;
    this.leaks = leaks;
    this.knownBytes = storage.size();
    this.cluster = clustersIn(knownBytes);
    this.initialCluster = cluster;
  }

  private long clustersIn(long bytes) {
    return (bytes + geometry.clusterBytes() - 1) >>> geometry.clusterBits();
  }

  private long bytes(long clusters) {
    return clusters << geometry.clusterBits();
  }

  /** The file is at least so long. Needs no lock. */
  long knownBytes() {
    return knownBytes;
  }

  /** First cluster that lies behind the file as a whole. */
  long clusterLocked() {
    return cluster;
  }

  /**
   * Asserts that nobody else has cut the file off. If it were written to behind its end, it would
   * grow again, and what was lost would read as zeros: so from then on nothing is written at all.
   *
   * <p>Thread rules: needs no lock.
   *
   * @throws HostIoException when it is shorter than it was, or has been before
   */
  void checkWhole() throws IOException {
    clock.checkSound();
    long known = knownBytes;
    long size = storage.size();
    if (size < known) {
      clock.stop(
          new HostIoException(
              EIO,
              "%s: was cut to %d bytes by another program, and had at least %d"
                  .formatted(storage.name(), size, known)));
      clock.checkSound();
    }
  }

  /**
   * Makes the file longer by so many clusters, and by what counting them takes. No growth may be
   * unfinished.
   *
   * @throws IOException when the host fails; what was begun is to be finished then
   */
  Growth growLocked(long clusters) throws IOException {
    RefcountGrowth growth =
        new RefcountGrowth(geometry, refcounts, Collections.emptyNavigableSet(), cluster, clusters);
    leaks.coverLocked(bytes(cluster), bytes(growth.endCluster() - cluster));
    if (growth.replacesTable()) {
      leaks.coverLocked(
          refcounts.tableOffsetLocked(), (long) refcounts.tableEntriesLocked() * Long.BYTES);
    }
    checkWhole();
    growth.secureSpace(storage);
    storage.resize(bytes(growth.endCluster()));
    knownBytes = bytes(growth.endCluster());
    unfinished = growth;
    finishGrowthLocked();
    return new Growth(growth.firstDataCluster(), growth.endCluster());
  }

  /** Finishes a growth that failed half-way: what it adds is free clusters, once it is written. */
  void finishGrowthLocked() throws IOException {
    RefcountGrowth growth = unfinished;
    if (growth != null) {
      if (growth.addsBlocks()) {
        growth.writeLocked(storage, header, clock, new ClusterCounts());
      }
      cluster = growth.endCluster();
      lowestFreed = Math.min(lowestFreed, growth.firstFreeCluster());
      unfinished = null;
    }
  }

  /** The lowest cluster that growths have left free since this was asked last, or a high number. */
  long takeLowestFreedLocked() {
    long lowest = lowestFreed;
    lowestFreed = Long.MAX_VALUE;
    return lowest;
  }

  /** Cuts off what nobody uses of all that the file has grown by. */
  void cutBackLocked() throws IOException {
    // A growth that failed may have made it longer than it was meant to be.
    long size = clustersIn(storage.size());
    long end = refcounts.endOfUsedLocked(initialCluster, Math.max(size, cluster));
    if (end < size) {
      // The refcounts first: space behind the end of the file that counts as used is a leak.
      clock.settle(clock.ticket());
      knownBytes = bytes(end);
      storage.resize(knownBytes);
      cluster = end;
    }
  }
}
