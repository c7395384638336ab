package org.qcowfs.tree;

/** Tells whether what was found out about a disk still holds. */
@FunctionalInterface
interface Changes {
  /** A disk that can only be read. */
  Changes NONE = () -> 0;

  /**
   * How often the disk has been changed. Ask before looking at the disk: as long as the number
   * stays the same, what was seen then has not changed.
   */
  long count();
}
