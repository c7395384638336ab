package org.qcowfs.mapping;

import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;

/** A thread of a test that is going to wait for something. */
final class Waiting<T> {
  private final FutureTask<T> task;
  private final Thread thread;

  private Waiting(Callable<T> action) {
    this.task = new FutureTask<>(action);
    this.thread = new Thread(task, "waiting");
  }

  /** Starts it, and returns when it waits. */
  static <T> Waiting<T> start(Callable<T> action) {
    Waiting<T> started = new Waiting<>(action);
    started.thread.start();
    while (!started.isWaiting() && !started.task.isDone()) {
      Thread.onSpinWait();
    }
    return started;
  }

  /** Whether it still waits. */
  boolean isWaiting() {
    Thread.State state = thread.getState();
    return state == Thread.State.WAITING || state == Thread.State.BLOCKED;
  }

  Thread thread() {
    return thread;
  }

  /** What it came to, once it has ended. */
  T result() throws Exception {
    return task.get();
  }
}
