package org.qcowfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * The permanent threads that serve requests. There is always one that waits for nothing but
 * requests: who is about to wait for the kernel says so, as the kernel may be waiting for the
 * answer to another request.
 */
final class RequestThreads {
  private final Serving serving;
  private final Function<Runnable, Runnable> loops;

  @GuardedBy("this")
  private int started;

  @GuardedBy("this")
  private int running;

  @GuardedBy("this")
  private int free;

  /**
   * @param loops makes what a thread does, given what it has to do at its end
   */
  RequestThreads(Serving serving, Function<Runnable, Runnable> loops) {
    this.serving = serving;
    this.loops = loops;
  }

  /** A step of a request during which the kernel may wait for the answer to another one. */
  @FunctionalInterface
  interface Step {
    void run();
  }

  synchronized void start(int count) {
    for (int i = 0; i < count; i++) {
      startOne();
    }
  }

  @GuardedBy("this")
  private void startOne() {
    started++;
    running++;
    free++;
    Thread thread = new Thread(loops.apply(this::ended), "fuse-" + started);
    thread.setDaemon(true);
    thread.start();
  }

  private synchronized void ended() {
    running--;
    notifyAll();
  }

  /**
   * Does the step, which may touch nothing of the disk. Meanwhile the request does not count as in
   * hand, and if no thread is left to serve others, one more is started; it stays.
   *
   * @throws IOException when no request is to be served any more: this one must end at once
   */
  void whileOthersServe(Step step) throws IOException {
    leave();
    try {
      step.run();
    } finally {
      comeBack();
    }
    if (serving.isStopped()) {
      throw new IOException("the mount is about to end");
    }
  }

  /** Within such a step: waits until what other threads have in hand now is answered. */
  void awaitThoseInHand() {
    serving.awaitThoseInHand();
  }

  private synchronized void leave() {
    serving.suspend();
    free--;
    if (free == 0) {
      startOne();
    }
  }

  private synchronized void comeBack() {
    free++;
    serving.resume();
  }

  /** Whether no thread serves any more. */
  synchronized boolean hasEnded() {
    return running == 0;
  }

  synchronized void awaitEnd() throws InterruptedException {
    while (running > 0) {
      wait();
    }
  }

  /** Returns whether they have ended in that time. */
  synchronized boolean awaitEnd(long timeout, TimeUnit unit) throws InterruptedException {
    long deadline = System.nanoTime() + unit.toNanos(timeout);
    while (running > 0) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
    return true;
  }
}
