package org.qcowfs.cli;

/** The exit codes of the commands. */
final class ExitCodes {
  static final int DONE = 0;
  static final int FAILED = 1;
  static final int WRONG_USAGE = 2;

  /** Of {@code check}, as those of {@code qemu-img check}: data is in danger, or lost. */
  static final int CORRUPT = 2;

  /** Of {@code check}: space is taken that nothing uses. */
  static final int LEAKS = 3;

  private ExitCodes() {}
}
