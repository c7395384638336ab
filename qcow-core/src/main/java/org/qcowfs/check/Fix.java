package org.qcowfs.check;

/** What a repair does about a defect. */
sealed interface Fix {
  /** Parts of an image that are made anew as a whole. */
  enum Part implements Fix {
    /** Nothing can be done without losing more. */
    NONE,
    /** Refcounts and COPIED flags are set by what was counted, as after every repair. */
    COUNTS,
    /** Refcount table and blocks are written anew, elsewhere. */
    REFCOUNT_STRUCTURES,
    /** The snapshot table is written anew, elsewhere, without what cannot be read. */
    SNAPSHOT_TABLE,
    /** The bitmaps are given up. */
    BITMAPS,
    /** The active L1 table is cut to what the disk needs. */
    L1_LENGTH
  }

  /**
   * One word of a table is replaced, or two that lie beside each other.
   *
   * @param hostOffset of the first; both lie in one sector
   * @param inL2 the table is an L2 table
   */
  record Words(long hostOffset, long first, long second, boolean two, boolean inL2) implements Fix {
    static Words one(long hostOffset, long word) {
      return new Words(hostOffset, word, 0, false, false);
    }

    static Words inL2(long hostOffset, long word) {
      return new Words(hostOffset, word, 0, false, true);
    }

    static Words bothInL2(long hostOffset, long first, long second) {
      return new Words(hostOffset, first, second, true, true);
    }
  }

  /**
   * Clusters are copied to a place of their own, since they lie where something else does.
   *
   * @param pointerOffset host offset of the word that names them
   * @param pointer what that word is now
   * @param kind how the word names a place
   * @param hostOffset their first byte
   * @param bytes whole clusters
   * @param zeros the new place is to hold zeros instead, and nothing is copied
   */
  record Relocate(
      long pointerOffset, long pointer, Pointer kind, long hostOffset, long bytes, boolean zeros)
      implements Fix {
    /** How a word names a place. */
    enum Pointer {
      L1_ENTRY,
      L2_ENTRY,
      COMPRESSED,
      /** The word is the offset. */
      PLAIN
    }
  }
}
