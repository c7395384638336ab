package org.qcowfs.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.qcowfs.check.ImageCheck;

/**
 * A bar with the time left, on one line of a terminal. It appears only when a check takes long
 * enough to ask, and is wiped away at the end.
 *
 * <p>Thread rules: used by one thread.
 */
final class ProgressLine implements ImageCheck.Progress {
  private static final int WIDTH = 30;
  private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final PrintStream out;
  private final long start = System.nanoTime();
  private long lastShown = start;
  private boolean visible;

  ProgressLine(PrintStream out) {
    this.out = out;
  }

  @Override
  public void done(long done, long total) {
    long now = System.nanoTime();
    if (total > 0 && now - start >= QUIET_NANOS && now - lastShown >= STEP_NANOS) {
      lastShown = now;
      visible = true;
      out.print("\r" + line(done, total, now - start));
      out.flush();
    }
  }

  /** The line without its end. */
  static String line(long done, long total, long nanos) {
    int filled = (int) (done * WIDTH / total);
    long left = done == 0 ? 0 : TimeUnit.NANOSECONDS.toSeconds(nanos / done * (total - done));
    return String.format(
        Locale.ROOT,
        "checking [%s%s] %3d %%, %d:%02d left ",
        "#".repeat(filled),
        ".".repeat(WIDTH - filled),
        done * 100 / total,
        left / 60,
        left % 60);
  }

  /** Whether standard error is a terminal. */
  static boolean isTerminal() {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd/2")).startsWith("/dev/pts")
          || Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString().startsWith("/dev/tty");
    } catch (IOException e) {
      return false;
    }
  }

  /** Wipes the line away. */
  void clear() {
    if (visible) {
      out.print("\r" + " ".repeat(WIDTH + 40) + "\r");
      out.flush();
    }
  }
}
