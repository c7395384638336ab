package org.qcowfs.mapping;

import java.util.ArrayList;
import java.util.List;

/**
 * Ranges of guest clusters whose mapping is being changed. Two writers into one unallocated cluster
 * wait for each other; writers to different clusters do not.
 *
 * <p>Thread rules: any number of threads. A thread holds one claim at a time, and takes no other
 * lock of the image before it.
 */
final class ClusterClaims {
  private final List<Claim> active = new ArrayList<>();

  /** A claimed range. */
  final class Claim {
    private final long start;
    private final long end;

    private Claim(long start, long end) {
      this.start = start;
      this.end = end;
    }

    private boolean overlaps(long otherStart, long otherEnd) {
      return start < otherEnd && otherStart < end;
    }

    /** Lets the next one in. */
    void release() {
      synchronized (active) {
        active.remove(this);
        active.notifyAll();
      }
    }
  }

  /**
   * Waits until nobody else has claimed any part of the range, and claims it.
   *
   * @param start guest offset of the first cluster
   * @param end guest offset behind the last cluster
   */
  Claim claim(long start, long end) {
    boolean interrupted = false;
    synchronized (active) {
      while (active.stream().anyMatch(claim -> claim.overlaps(start, end))) {
        try {
          active.wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      Claim claim = new Claim(start, end);
      active.add(claim);
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      return claim;
    }
  }
}
