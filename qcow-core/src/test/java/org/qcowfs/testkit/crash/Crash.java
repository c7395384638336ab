package org.qcowfs.testkit.crash;

/** What ends a run. */
public enum Crash {
  /** The process dies: the host keeps what it was given, the last write perhaps in part. */
  DEATH,
  /** The power fails: what was not flushed survives in any part, sector by sector. */
  POWER_LOSS
}
