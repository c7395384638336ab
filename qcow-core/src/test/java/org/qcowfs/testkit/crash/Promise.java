package org.qcowfs.testkit.crash;

/** What an acknowledgement says of the changes that it covers. */
public enum Promise {
  /** Nothing. */
  NOTHING,
  /** They survive the death of the process. */
  SURVIVES_DEATH,
  /** They survive a power loss too. */
  SURVIVES_POWER_LOSS;

  /** Whether a crash of this kind leaves them. */
  public boolean covers(Crash crash) {
    return this == SURVIVES_POWER_LOSS || (this == SURVIVES_DEATH && crash == Crash.DEATH);
  }
}
