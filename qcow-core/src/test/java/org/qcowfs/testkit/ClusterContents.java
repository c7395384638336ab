package org.qcowfs.testkit;

/** One cluster of a disk and how it is to be stored. */
final class ClusterContents {
  /** How a cluster is stored. */
  enum Storage {
    DATA,
    ZERO,
    ZERO_PREALLOCATED,
    COMPRESSED,
    SUBCLUSTERS,
    RAW_ENTRY
  }

  private final Storage storage;
  private final byte[] bytes;
  private final long entry;
  private final long bitmap;

  /**
   * @param bytes of the cluster, or fewer
   * @param entry the first word of the L2 entry, where it is given as it is
   * @param bitmap the second word of an extended L2 entry, where it is given
   */
  ClusterContents(Storage storage, byte[] bytes, long entry, long bitmap) {
    this.storage = storage;
    this.bytes = bytes;
    this.entry = entry;
    this.bitmap = bitmap;
  }

  Storage storage() {
    return storage;
  }

  byte[] bytes() {
    return bytes;
  }

  long entry() {
    return entry;
  }

  long bitmap() {
    return bitmap;
  }
}
