package org.qcowfs.check;

import org.qcowfs.error.CorruptImageException;

/**
 * A finding, and what a repair does about it.
 *
 * @param hidesReferences what else is referred to cannot be known: nothing may be given back by
 *     these counts
 */
record Defect(Finding finding, Fix fix, boolean hidesReferences) {
  /** Is told of defects as they are met. */
  interface Listener {
    /**
     * A defect was met.
     *
     * @throws CorruptImageException to end the walk
     */
    void found(Defect defect) throws CorruptImageException;

    /** Whether anybody will read the text of a finding that {@link #found} is told of. */
    default boolean wantsText() {
      return true;
    }

    /** As many corruptions as this are not told one by one, since nobody would read them. */
    default void more(long corruptions) {}
  }

  /** Refuses to go on where counting could not be trusted. */
  static final Listener STRICT =
      defect -> {
        if (defect.hidesReferences) {
          Finding finding = defect.finding;
          String index = finding.index() == Finding.NONE ? "" : "entry " + finding.index() + ": ";
          throw new CorruptImageException(
              finding.structure(), finding.hostOffset(), index + finding.problem());
        }
      };

  static Defect harmless(Finding finding, Fix fix) {
    return new Defect(finding, fix, false);
  }

  static Defect hiding(Finding finding, Fix fix) {
    return new Defect(finding, fix, true);
  }
}
