package org.qcowfs.mapping;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Lets requests pass without waiting, and lets one thread wait until every request that could still
 * use a freed cluster has left.
 *
 * <p>A request looks up a host offset and then reads or writes there. Between the two, another one
 * can free the cluster. It must not be used for anything else, nor be punched, before the first has
 * left the gate.
 *
 * <p>Thread rules: any number of threads pass; those that wait take turns. A thread inside the gate
 * must not wait for it.
 */
final class RequestGate {
  private static final int STRIPES = 16;
  private static final int PADDING = 8;

  /** Requests inside, by the phase in which they entered and by stripe. */
  private final AtomicLongArray inside = new AtomicLongArray(2 * STRIPES * PADDING);

  /** Held by the one that waits: the monitor of the gate itself is let go while it does. */
  private final Object turn = new Object();

  private volatile int phase;

  /** Enters. The result goes to {@link #leave}. */
  int enter() {
    int stripe = (int) (Thread.currentThread().getId() & (STRIPES - 1));
    while (true) {
      int now = phase;
      int slot = (now * STRIPES + stripe) * PADDING;
      inside.incrementAndGet(slot);
      if (phase == now) {
        return slot;
      }
      // The phase changed in between: whoever waits may have missed this request.
      leave(slot);
    }
  }

  void leave(int slot) {
    if (inside.decrementAndGet(slot) == 0 && slot / PADDING / STRIPES != phase) {
      synchronized (this) {
        notifyAll();
      }
    }
  }

  /** Returns when every request has left that was inside at the call. */
  void awaitThoseInside() throws InterruptedException {
    synchronized (turn) {
      changePhase();
    }
  }

  private synchronized void changePhase() throws InterruptedException {
    int old = phase;
    phase = 1 - old;
    while (count(old) != 0) {
      wait();
    }
  }

  private long count(int ofPhase) {
    long count = 0;
    for (int stripe = 0; stripe < STRIPES; stripe++) {
      count += inside.get((ofPhase * STRIPES + stripe) * PADDING);
    }
    return count;
  }
}
