package org.qcowfs.it.crash;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.qcowfs.it.kit.DiskFile;
import org.qcowfs.it.kit.MountedImage;

/**
 * Threads that write, punch and flush at random places of a mounted disk and log what was
 * acknowledged, until they are stopped, or until their disk is taken away.
 *
 * <p>Thread rules: one thread starts and ends it; an event may run in another.
 */
final class GuestLoad {
  private static final int WRITERS = 3;

  private final SectorLog log;
  private final Promise promise;
  private final AtomicLong operations = new AtomicLong();
  private final AtomicLong flushes = new AtomicLong();
  private final List<Thread> threads = new ArrayList<>();
  private final CountDownLatch limitReached = new CountDownLatch(1);
  private final long limit;
  private volatile boolean endExpected;
  private volatile boolean stopped;
  private volatile @Nullable Throwable failure;

  /** What of acknowledged changes is safe. */
  enum Promise {
    NOTHING,
    FLUSHED,
    ACKNOWLEDGED;

    static Promise of(String cacheMode) {
      return switch (cacheMode) {
        case "volatile" -> NOTHING;
        case "writethrough", "directsync" -> ACKNOWLEDGED;
        default -> FLUSHED;
      };
    }
  }

  /**
   * @param limit the number of operations after which {@link #awaitLimit} returns
   */
  GuestLoad(SectorLog log, Promise promise, long limit) {
    this.log = log;
    this.promise = promise;
    this.limit = limit;
  }

  /** A mounted file that is a window onto the disk from a sector on. */
  private record Window(Path file, int start, int end) {}

  /**
   * Begins to write.
   *
   * @param throughPartitions through the files of both partitions, which the daemon serves side by
   *     side; else through that of the disk
   */
  void start(MountedImage mount, boolean throughPartitions, SplittableRandom random) {
    for (int i = 0; i < WRITERS; i++) {
      Window window =
          throughPartitions
              ? partition(mount, i % 2)
              : new Window(mount.disk(), 0, CrashImage.SECTORS);
      SplittableRandom own = random.split();
      Thread thread = new Thread(() -> write(window, own), "writer-" + i);
      threads.add(thread);
      thread.start();
    }
  }

  private static Window partition(MountedImage mount, int index) {
    int start = index == 0 ? CrashImage.FIRST_PARTITION : CrashImage.SECOND_PARTITION;
    int end = index == 0 ? CrashImage.SECOND_PARTITION : CrashImage.SECTORS;
    return new Window(mount.file("partitions/" + (index + 1) + ".raw"), start, end);
  }

  /** Waits until so many operations have been begun as the limit says. */
  void awaitLimit() {
    try {
      limitReached.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** From here on it is no failure that the disk is gone. */
  void expectEnd() {
    endExpected = true;
  }

  /** Lets every writer end after the operation it is in. */
  void stop() {
    stopped = true;
  }

  /** Waits until every writer has ended; fails if one met an error that nobody expected. */
  void join() {
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    Throwable cause = failure;
    if (cause != null) {
      throw new AssertionError("a writer met an error", cause);
    }
  }

  long operations() {
    return operations.get();
  }

  long flushes() {
    return flushes.get();
  }

  private void write(Window window, SplittableRandom random) {
    try (DiskFile file = DiskFile.open(window.file(), DiskFile.PLAIN);
        DiskFile flushing = DiskFile.open(window.file(), DiskFile.SYNC)) {
      Writer writer = new Writer(window, file, flushing, random);
      while (!stopped) {
        if (operations.incrementAndGet() == limit) {
          limitReached.countDown();
        }
        writer.operate();
      }
    } catch (RuntimeException | Error e) {
      if (!endExpected) {
        failure = e;
      }
    } finally {
      if (failure != null) {
        limitReached.countDown();
      }
    }
  }

  /** One thread's work. */
  private final class Writer {
    private final Window window;
    private final DiskFile file;
    private final DiskFile flushing;
    private final SplittableRandom random;

    Writer(Window window, DiskFile file, DiskFile flushing, SplittableRandom random) {
      this.window = window;
      this.file = file;
      this.flushing = flushing;
      this.random = random;
    }

    void operate() {
      int what = random.nextInt(32);
      if (what < 4) {
        flush();
      } else if (what < 6) {
        begin(true).ifPresent(this::punch);
      } else {
        begin(false).ifPresent(change -> write(change, what < 8));
      }
    }

    private Optional<SectorLog.Change> begin(boolean zeros) {
      int start = Math.max(window.start(), CrashImage.FIRST_PARTITION);
      int count =
          switch (random.nextInt(8)) {
            case 0 -> 1 + random.nextInt(512);
            case 1, 2 -> 128;
            default -> 1 + random.nextInt(16);
          };
      // Half of the changes fall on a small part, where they meet.
      int within = random.nextBoolean() ? (window.end() - start) / 16 : window.end() - start;
      int first = start + random.nextInt(within - count);
      return log.begin(random.nextInt(4) == 0 ? first & -128 : first, count, zeros);
    }

    private long offset(SectorLog.Change change) {
      return change.offset() - (long) window.start() * SectorLog.SECTOR_BYTES;
    }

    private void write(SectorLog.Change change, boolean flush) {
      long[] kept = flush ? log.beginFlush() : new long[0];
      (flush ? flushing : file).write(change.contents(), offset(change));
      log.acknowledged(
          change, promise == Promise.ACKNOWLEDGED || (flush && promise == Promise.FLUSHED));
      if (flush) {
        flushed(kept);
      }
    }

    private void punch(SectorLog.Change change) {
      file.punchHole(offset(change), change.bytes());
      log.acknowledged(change, promise == Promise.ACKNOWLEDGED);
    }

    private void flush() {
      long[] kept = log.beginFlush();
      if (random.nextBoolean()) {
        file.fsync();
      } else {
        file.fdatasync();
      }
      flushed(kept);
    }

    private void flushed(long[] kept) {
      flushes.incrementAndGet();
      if (promise != Promise.NOTHING) {
        log.flushed(kept);
      }
    }
  }
}
