package org.qcowfs.cli;

/**
 * Decides where the log goes and how much of it, without touching the logging library: loading that
 * costs a good part of the start of a short command, and most log nothing. {@link
 * LogbackConfigurator} reads the decision when the first line is logged.
 */
final class Logging {
  private static volatile Verbosity verbosity = Verbosity.NORMAL;

  private Logging() {}

  static void configure(Verbosity wanted) {
    verbosity = wanted;
  }

  /** For a command whose log says more than others', whatever the user asked for. */
  static void configureAtLeast(Verbosity least) {
    if (verbosity.compareTo(least) < 0) {
      verbosity = least;
    }
  }

  static Verbosity verbosity() {
    return verbosity;
  }
}
