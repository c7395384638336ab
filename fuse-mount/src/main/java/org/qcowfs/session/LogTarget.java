package org.qcowfs.session;

import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** Where the log goes: to standard error, or for a daemon into its file. Set once, before the first line is logged. */
public final class LogTarget {
  private static volatile @Nullable OutputStream file;

  private LogTarget() {}

  /** Where to write log lines. Not to be closed. */
  public static OutputStream stream() {
    OutputStream target = file;
    return target == null ? System.err : target;
  }

  /** Whether the log has a file of its own, which nobody watches. */
  public static boolean isDaemon() {
    return file != null;
  }

  static void useFile(OutputStream target) {
    file = target;
  }
}
