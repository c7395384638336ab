package org.qcowfs.cli;

/** How much is logged. */
enum Verbosity {
  /** What an administrator must know. */
  NORMAL,
  /** Also what was done: {@code -v}. */
  VERBOSE,
  /** Every step, and stack traces: {@code --debug}. */
  DEBUG
}
