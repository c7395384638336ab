package org.qcowfs.mapping;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Pieces of work for the processor alone, done on all cores. The caller works along, so nothing
 * waits for a thread that is busy elsewhere: helpers that come too late find nothing left.
 */
final class SideBySide {
  private static final int HELPER_COUNT = Runtime.getRuntime().availableProcessors() - 1;

  /** They stay for good, and so does what native libraries keep for each of them. */
  private static final ExecutorService HELPERS =
      Executors.newFixedThreadPool(
          Math.max(1, HELPER_COUNT),
          task -> {
            Thread helper = new Thread(task, "helper");
            helper.setDaemon(true);
            return helper;
          });

  /** One of the pieces. */
  @FunctionalInterface
  interface Piece {
    void run(int index) throws IOException;
  }

  private final Piece piece;
  private final int count;
  private final AtomicInteger next = new AtomicInteger();
  private final CountDownLatch left;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  private SideBySide(Piece piece, int count) {
    this.piece = piece;
    this.count = count;
    this.left = new CountDownLatch(count);
  }

  /**
   * Returns when every piece has ended.
   *
   * @throws IOException what one of the pieces threw; all of them have ended then, too
   */
  static void run(int count, Piece piece) throws IOException {
    if (count == 1) {
      piece.run(0);
      return;
    }
    SideBySide work = new SideBySide(piece, count);
    for (int helper = 0; helper < Math.min(HELPER_COUNT, count - 1); helper++) {
      HELPERS.execute(work::runPieces);
    }
    work.runPieces();
    work.awaitHelpers();
    work.throwFailure();
  }

  private void runPieces() {
    for (int index = next.getAndIncrement(); index < count; index = next.getAndIncrement()) {
      try {
        piece.run(index);
      } catch (IOException | RuntimeException | Error e) {
        failure.compareAndSet(null, e);
      } finally {
        left.countDown();
      }
    }
  }

  /** Only for pieces under way, which end soon: what they fill belongs to the caller. */
  private void awaitHelpers() {
    boolean interrupted = false;
    while (left.getCount() > 0) {
      try {
        left.await();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void throwFailure() throws IOException {
    Throwable thrown = failure.get();
    if (thrown instanceof IOException e) {
      throw e;
    } else if (thrown instanceof RuntimeException e) {
      throw e;
    } else if (thrown instanceof Error e) {
      throw e;
    }
  }
}
