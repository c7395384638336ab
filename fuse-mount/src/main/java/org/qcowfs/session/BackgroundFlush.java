package org.qcowfs.session;

import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.qcowfs.fuse.LastWords;
import org.qcowfs.fuse.Loggers;
import org.qcowfs.tree.WatchedDisk;

/**
 * Flushes a disk in the background, as far as its cache mode promises, so that not much is lost
 * where nobody calls fsync: after so many seconds with changes that are not flushed, or as soon as
 * the changes pause. Never flushes where nothing has changed.
 */
final class BackgroundFlush implements Closeable {
  private static final int LOOK_SECONDS = 1;

  private final WatchedDisk disk;
  private final int looksUntilFlush;
  private final ScheduledExecutorService timer;
  private long changesSeen;
  private int looksUnflushed;
  private boolean failed;
  private final LastWords lastWords = new LastWords();

  BackgroundFlush(WatchedDisk disk, int intervalSeconds) {
    this.disk = disk;
    this.looksUntilFlush = intervalSeconds / LOOK_SECONDS;
    this.timer =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "flush");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Begins to look at the disk every second. An interval of 0 means never. */
  void start() {
    if (looksUntilFlush > 0) {
      var unused =
          timer.scheduleWithFixedDelay(this::look, LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
    }
  }

  /** One look, by the one thread that looks: flushes when it is time. */
  void look() {
    long changes = disk.count();
    boolean paused = changes == changesSeen;
    changesSeen = changes;
    if (!disk.hasUnflushedChanges()) {
      looksUnflushed = 0;
      return;
    }
    looksUnflushed++;
    if (paused || looksUnflushed >= looksUntilFlush) {
      looksUnflushed = 0;
      flush();
    }
  }

  /** Nobody waits for it, so nobody is told but the log; the next fsync fails for itself. */
  private void flush() {
    try {
      disk.flush();
      failed = false;
    } catch (IOException | RuntimeException | Error e) {
      if (!failed) {
        tryToReport(e);
      }
      failed = true;
    }
  }

  /** What this threw would end the looking for good. */
  private void tryToReport(Throwable e) {
    try {
      Loggers.of(BackgroundFlush.class)
          .error("flushing in the background failed: {}", e.getMessage(), e);
    } catch (RuntimeException | Error inReporting) {
      lastWords.say();
    }
  }

  /** Ends it; a flush that runs is waited for. */
  @Override
  public void close() {
    timer.shutdown();
    boolean interrupted = false;
    while (true) {
      try {
        if (timer.awaitTermination(1, TimeUnit.MINUTES)) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
