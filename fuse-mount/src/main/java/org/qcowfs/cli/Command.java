package org.qcowfs.cli;

import java.util.concurrent.Callable;

/** A command: it is called once its arguments have been read, and returns its exit code. */
interface Command extends Callable<Integer> {
  /** What it takes. */
  CommandUsage usage();
}
