package org.qcowfs.alloc;

import java.io.IOException;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Sets every refcount of an image to what was counted, and makes the file long enough for every
 * cluster that is referred to. New refcount blocks go behind all of them, so nothing that a table
 * names is overwritten.
 *
 * <p>What survives a crash: some refcounts are the old ones and some the new. The dirty bit must be
 * set all the while.
 *
 * <p>Thread rules: guarded by the metadata lock of the image.
 */
public final class RefcountRebuild {
  /** Which refcounts are set. */
  public enum Direction {
    /** All that are wrong. */
    BOTH,
    /** Those that are too low; where one cannot say how much, it is set as high as it goes. */
    RAISE,
    /** Those that are too high. */
    LOWER
  }

  private final BlockStorage storage;
  private final ClusterGeometry geometry;
  private final Refcounts refcounts;
  private final HeaderSector header;
  private final DurabilityClock clock;
  private final ClusterCounts counts;
  private Direction direction = Direction.BOTH;

  /**
   * @param counts how often each cluster is referred to, the refcount structures included
   */
  public RefcountRebuild(
      BlockStorage storage,
      ClusterGeometry geometry,
      Refcounts refcounts,
      HeaderSector header,
      DurabilityClock clock,
      ClusterCounts counts) {
    this.storage = storage;
    this.geometry = geometry;
    this.refcounts = refcounts;
    this.header = header;
    this.clock = clock;
    this.counts = counts;
  }

  /**
   * Refuses what refcounts of this width cannot say. Changes nothing.
   *
   * @throws CorruptImageException when a cluster is referred to more often than that
   */
  public void checkLocked() throws CorruptImageException {
    for (long cluster = counts.next(0); cluster >= 0; cluster = counts.next(cluster + 1)) {
      if (Long.compareUnsigned(counts.get(cluster), refcounts.max()) > 0) {
        throw new CorruptImageException(
            "Refcount",
            cluster << geometry.clusterBits(),
            "the cluster is referred to %d times, more than its refcount can say"
                .formatted(counts.get(cluster)));
      }
    }
  }

  /**
   * Sets the refcounts, and hands them to the operating system.
   *
   * @return how many were wrong
   */
  public long rebuildLocked() throws IOException {
    return rebuildLocked(Direction.BOTH);
  }

  /** As {@link #rebuildLocked()}, of the refcounts that are wrong in one direction. */
  public long rebuildLocked(Direction which) throws IOException {
    direction = which;
    if (direction == Direction.LOWER) {
      long lowered = correctBlocks();
      refcounts.writeModifiedLocked();
      return lowered;
    }
    long fileEnd = (storage.size() + geometry.clusterBytes() - 1) >>> geometry.clusterBits();
    long end = Math.max(fileEnd, counts.end());
    if (end > fileEnd) {
      storage.resize(end << geometry.clusterBits());
    }
    long wrong = correctBlocks();
    wrong += addMissingBlocks(end);
    refcounts.writeModifiedLocked();
    return wrong;
  }

  private long correctBlocks() throws IOException {
    long wrong = 0;
    for (long index = 0; index < refcounts.tableEntriesLocked(); index++) {
      wrong += correctBlock(index);
    }
    return wrong;
  }

  private long correctBlock(long index) throws IOException {
    long first = index * refcounts.clustersPerBlock();
    long behind = first + refcounts.clustersPerBlock();
    long block = refcounts.blockOffsetLocked(first);
    if (block == 0 || (nextUsed(first, behind) == behind && isHole(block))) {
      return 0;
    }
    long wrong = 0;
    for (long cluster = first; cluster < behind; cluster++) {
      long refcount = refcounts.getLocked(cluster);
      long count = wanted(cluster, refcount);
      if (refcount != count) {
        refcounts.setLocked(cluster, count);
        wrong++;
      } else if (refcount == 0) {
        // A block of 2 MiB can count 16 million clusters, and the file have a handful.
        long next = nextUsed(cluster + 1, behind);
        cluster = Math.min(next, refcounts.nextUsedLocked(cluster + 1, next)) - 1;
      }
    }
    return wrong;
  }

  private long wanted(long cluster, long refcount) {
    long count = counts.get(cluster);
    return switch (direction) {
      case BOTH -> count;
      case LOWER -> Long.compareUnsigned(count, refcount) < 0 ? count : refcount;
      case RAISE -> {
        long possible = Long.compareUnsigned(count, refcounts.max()) > 0 ? refcounts.max() : count;
        yield Long.compareUnsigned(possible, refcount) > 0 ? possible : refcount;
      }
    };
  }

  private long nextUsed(long first, long behind) {
    long next = counts.next(first);
    return next < 0 ? behind : Math.min(next, behind);
  }

  private boolean isHole(long block) throws IOException {
    long data = storage.nextData(block);
    return data < 0 || data >= block + geometry.clusterBytes();
  }

  private long addMissingBlocks(long end) throws IOException {
    NavigableSet<Long> missing = new TreeSet<>();
    long perBlock = refcounts.clustersPerBlock();
    long wrong = 0;
    for (long cluster = counts.next(0); cluster >= 0; cluster = counts.next(cluster + 1)) {
      if (refcounts.blockOffsetLocked(cluster) == 0) {
        missing.add(cluster / perBlock);
        wrong++;
      }
    }
    if (!missing.isEmpty()) {
      RefcountGrowth growth = new RefcountGrowth(geometry, refcounts, missing, end, 0);
      growth.secureSpace(storage);
      growth.writeLocked(storage, header, clock, counts);
    }
    return wrong;
  }
}
