package org.qcowfs.session;

import java.io.PrintStream;

/**
 * The shell script that started this process in the background and waits to be told how the mount
 * went. Both our standard streams are a pipe to it. It shows each line that comes as an error
 * message, but for two kinds: {@code RS o TEXT} goes to its standard output, and {@code RS x CODE}
 * lets it end with that exit code (RS is the control character 0x1e, which no message of ours
 * holds).
 */
public final class Launcher {
  private static final char RECORD_SEPARATOR = 0x1e;
  private static final Launcher CURRENT =
      new Launcher(Boolean.getBoolean("qcowfs.launcher"), System.out);

  private final boolean waiting;
  private final PrintStream pipe;

  Launcher(boolean waiting, PrintStream pipe) {
    this.waiting = waiting;
    this.pipe = pipe;
  }

  /** The launcher of this process. */
  public static Launcher current() {
    return CURRENT;
  }

  /** Whether a launcher waits for a report. */
  public boolean isWaiting() {
    return waiting;
  }

  /** Prints a line on the standard output that the user sees. */
  public void print(String line) {
    pipe.println(waiting ? RECORD_SEPARATOR + "o " + line : line);
  }

  /**
   * Lets the launcher end. Does nothing where none waits.
   *
   * @return whether the launcher was still there to hear it
   */
  public boolean reportExit(int exitCode) {
    if (waiting) {
      pipe.println(RECORD_SEPARATOR + "x " + exitCode);
    }
    return !pipe.checkError();
  }
}
