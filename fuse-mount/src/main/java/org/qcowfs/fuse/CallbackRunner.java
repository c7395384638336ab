package org.qcowfs.fuse;

import java.io.IOException;
import org.qcowfs.errno.Errno;
import org.slf4j.Logger;

/**
 * Runs the work of callbacks: nothing that it throws reaches native code, where it would become an
 * answer of 0, which says success. Immutable.
 */
final class CallbackRunner {
  private final boolean tracing;
  private final LastWords lastWords = new LastWords();

  /**
   * Makes a runner.
   *
   * @param tracing whether every callback is logged
   */
  CallbackRunner(boolean tracing) {
    this.tracing = tracing;
  }

  /** What a callback does. Returns a count or 0, or a negative error number. */
  @FunctionalInterface
  interface Work {
    int run() throws IOException;
  }

  /**
   * Holds the logger, so that the logging library is loaded by the first line and not by the mount.
   */
  private static final class Log {
    static final Logger LOG = Loggers.of(CallbackRunner.class);
  }

  /** The work's answer, or the negative error number of what it threw, after a line in the log. */
  int answer(String operation, String path, Work work) {
    try {
      int answer = work.run();
      trace(operation, path, answer);
      return answer;
    } catch (Throwable e) {
      return failed(operation, path, e);
    }
  }

  boolean isTracing() {
    return tracing;
  }

  /** Says what was answered, where every answer is to be logged. */
  void trace(String operation, String path, long answer) {
    if (tracing) {
      Log.LOG.debug("{} of {}: {}", operation, path, answer);
    }
  }

  /** Logs what was thrown. Returns its negative error number, and throws nothing itself. */
  int failed(String operation, String path, Throwable e) {
    int errno = Errno.of(e);
    tryToReport(operation, path, errno, e);
    return -errno;
  }

  private void tryToReport(String operation, String path, int errno, Throwable e) {
    try {
      report(operation, path, errno, e);
    } catch (Throwable inReporting) {
      lastWords.say();
    }
  }

  private static void report(String operation, String path, int errno, Throwable e) {
    // an argument that is refused is the calling program's mistake, not ours
    if (e instanceof IOException || e instanceof IllegalArgumentException) {
      Log.LOG.warn("{} of {} failed with error number {}: {}", operation, path, errno, reason(e));
    } else {
      Log.LOG.error("{} of {} failed with error number {}", operation, path, errno, e);
    }
    Log.LOG.debug("{} of {}", operation, path, e);
  }

  private static String reason(Throwable e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }
}
