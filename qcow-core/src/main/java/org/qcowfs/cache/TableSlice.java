package org.qcowfs.cache;

/**
 * A piece of a metadata table in memory: consecutive 64-bit words of the host file, in the
 * machine's byte order. Every word is read and written whole, so readers need no lock.
 */
public final class TableSlice {
  private final long key;
  private final long[] words;

  /** When the slice was last used, by the clock of its cache. Racy: it only guides eviction. */
  int lastUse;

  TableSlice(long key, long[] words) {
    this.key = key;
    this.words = words;
  }

  long key() {
    return key;
  }

  /** The word at the index; 0 is the first of the slice. */
  public long word(int index) {
    return words[index];
  }

  public int wordCount() {
    return words.length;
  }
}
