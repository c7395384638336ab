package org.qcowfs.fuse;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Knows which threads have a request in hand, so that somebody can wait until those are answered,
 * or until there are none and none begins any more.
 */
final class Serving {
  /**
   * For each thread how often a request was taken in hand or put down: odd while there is one.
   * Written by that thread only.
   */
  private final List<AtomicLong> turns = new CopyOnWriteArrayList<>();

  private final ThreadLocal<AtomicLong> ownTurns = ThreadLocal.withInitial(this::newThread);
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition putDown = lock.newCondition();

  /** How many wait for a request to be put down; looked at without the lock. */
  private final AtomicLong waiting = new AtomicLong();

  private volatile boolean stopped;

  private AtomicLong newThread() {
    AtomicLong added = new AtomicLong();
    turns.add(added);
    return added;
  }

  /** Begins a request; {@link #end} must follow. Returns false when none may begin any more. */
  boolean begin() {
    ownTurns.get().incrementAndGet();
    if (stopped) {
      end();
      return false;
    }
    return true;
  }

  void end() {
    ownTurns.get().incrementAndGet();
    if (waiting.get() > 0) {
      lock.lock();
      try {
        putDown.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /** A request in hand is about to wait for others; {@link #resume} must follow. */
  void suspend() {
    end();
  }

  /** The request is in hand again. After a stop it must come to its end without doing anything. */
  void resume() {
    ownTurns.get().incrementAndGet();
  }

  boolean isStopped() {
    return stopped;
  }

  /** Lets no further request begin, and waits until each that has begun has ended. */
  void stop() {
    stopped = true;
    awaitThoseInHand();
  }

  /**
   * Waits until each request that is in hand now is answered, or waits for others itself. Not for a
   * thread that has one in hand.
   */
  void awaitThoseInHand() {
    lock.lock();
    waiting.incrementAndGet();
    try {
      for (AtomicLong turn : turns) {
        long now = turn.get();
        while (now % 2 == 1 && turn.get() == now) {
          putDown.awaitUninterruptibly();
        }
      }
    } finally {
      waiting.decrementAndGet();
      lock.unlock();
    }
  }
}
