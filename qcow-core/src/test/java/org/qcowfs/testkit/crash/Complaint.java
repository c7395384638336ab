package org.qcowfs.testkit.crash;

/** What is wrong with a state. */
public record Complaint(Kind kind, String text) {
  /** How bad it is. */
  public enum Kind {
    /** The image is damaged: a reference that is not counted, a pointer to nowhere. */
    CORRUPT,
    /** A sector does not hold what must have survived. */
    LOST,
    /** A sector holds what was never written to it. */
    FOREIGN,
    /** What a recovery did not put right. */
    NOT_RECOVERED
  }

  @Override
  public String toString() {
    return kind + ": " + text;
  }
}
