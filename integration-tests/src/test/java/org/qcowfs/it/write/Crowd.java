package org.qcowfs.it.write;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Threads that do the same at the same time. */
final class Crowd {
  static final int THREADS = 8;

  private static final int DEADLINE_SECONDS = 120;

  private Crowd() {}

  /** What each of them does. */
  @FunctionalInterface
  interface Member {
    void act(int thread) throws Exception;
  }

  /** Returns when all have ended; the first failure fails the test. */
  static void run(Member member) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<Void>> all = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        int thread = i;
        Callable<Void> work =
            () -> {
              member.act(thread);
              return null;
            };
        all.add(pool.submit(work));
      }
      for (Future<Void> one : all) {
        one.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
      }
    } finally {
      pool.shutdownNow();
      // Else a disk that one of them has open keeps the mount from being unmounted.
      var unused = pool.awaitTermination(DEADLINE_SECONDS, TimeUnit.SECONDS);
    }
  }
}
