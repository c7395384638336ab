package org.qcowfs.it.cache;

/**
 * A row of the table of cache modes.
 *
 * @param mode its name
 * @param direct whether the host file is open with O_DIRECT
 * @param flush how far a flush goes
 * @param eachWrite whether each write does what a flush does before it is acknowledged
 */
record CacheRow(String mode, boolean direct, Depth flush, boolean eachWrite) {
  /** How far a flush goes. */
  enum Depth {
    NOTHING,
    OS,
    DISK
  }

  static CacheRow[] all() {
    return new CacheRow[] {
      new CacheRow("writeback", false, Depth.DISK, false),
      new CacheRow("none", true, Depth.DISK, false),
      new CacheRow("writethrough", false, Depth.DISK, true),
      new CacheRow("directsync", true, Depth.DISK, true),
      new CacheRow("unsafe", false, Depth.OS, false),
      new CacheRow("volatile", false, Depth.NOTHING, false)
    };
  }

  /** Flushes to disk by a write. */
  int diskFlushesOfWrite() {
    return eachWrite ? 1 : 0;
  }

  /** Flushes to disk by an fsync or a close after a write. */
  int diskFlushesOfFlush() {
    return flush == Depth.DISK && !eachWrite ? 1 : 0;
  }

  /** Flushes to disk by a write through a descriptor with O_SYNC or O_DSYNC. */
  int diskFlushesOfSyncWrite() {
    return flush == Depth.DISK ? 1 : 0;
  }

  /** Whether a write brings out the metadata that it changes. */
  boolean writeWritesMetadata() {
    return eachWrite;
  }

  /** Whether an fsync or a close does. */
  boolean flushWritesMetadata() {
    return !eachWrite && flush != Depth.NOTHING;
  }

  @Override
  public String toString() {
    return mode;
  }
}
