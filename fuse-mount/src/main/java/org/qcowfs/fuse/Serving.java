package org.qcowfs.fuse;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts the requests in hand, so that somebody can wait until there are none and none begins any
 * more.
 */
final class Serving {
  private final AtomicInteger inHand = new AtomicInteger();
  private volatile boolean stopped;

  /** Begins a request; {@link #end} must follow. Returns false when none may begin any more. */
  boolean begin() {
    inHand.incrementAndGet();
    if (stopped) {
      end();
      return false;
    }
    return true;
  }

  void end() {
    if (inHand.decrementAndGet() == 0 && stopped) {
      synchronized (this) {
        notifyAll();
      }
    }
  }

  /** A request in hand is about to wait for others; {@link #resume} must follow. */
  void suspend() {
    end();
  }

  /** The request is in hand again. After a stop it must come to its end without doing anything. */
  void resume() {
    inHand.incrementAndGet();
  }

  boolean isStopped() {
    return stopped;
  }

  /** Lets no further request begin, and waits until each that has begun has ended. */
  synchronized void stop() throws InterruptedException {
    stopped = true;
    while (inHand.get() > 0) {
      wait();
    }
  }
}
