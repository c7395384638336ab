package org.qcowfs.cli;

import org.qcowfs.session.Launcher;

/** The program. The only class that calls {@link System#exit}. */
public final class Main {
  private Main() {}

  /** Runs the command line and ends the process with its exit code. */
  public static void main(String[] args) {
    int exitCode = CommandLineFrame.run(args);
    Launcher.current().reportExit(exitCode);
    System.exit(exitCode);
  }
}
