package org.qcowfs.image;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * How far a flush of the guest travels, and whether the host's page cache is used. Every write is
 * handed to the host's operating system before it is acknowledged; metadata may stay in our caches
 * until a flush brings it out: flush-to-OS, then flush-to-disk.
 */
public enum CacheMode {
  /** Buffered; a flush goes to disk. */
  WRITEBACK(false, Flush.DISK, false),
  /** O_DIRECT; a flush goes to disk. */
  NONE(true, Flush.DISK, false),
  /** Buffered; every write goes to disk before it is acknowledged. */
  WRITETHROUGH(false, Flush.DISK, true),
  /** O_DIRECT; every write goes to disk before it is acknowledged. */
  DIRECTSYNC(true, Flush.DISK, true),
  /** Buffered; a flush goes to the operating system, and nothing ever waits for the disk. */
  UNSAFE(false, Flush.OS, false),
  /** Buffered; a flush does nothing. Metadata is written at a clean end and on cache pressure. */
  VOLATILE(false, Flush.NOTHING, false);

  /** Where a flush ends. */
  enum Flush {
    NOTHING,
    OS,
    DISK
  }

  private final boolean direct;
  private final Flush flush;
  private final boolean eachWrite;

  CacheMode(boolean direct, Flush flush, boolean eachWrite) {
    this.direct = direct;
    this.flush = flush;
    this.eachWrite = eachWrite;
  }

  /** The name by which options know the mode. */
  public String modeName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The mode of that name; empty when there is none. */
  public static Optional<CacheMode> byName(String name) {
    return Arrays.stream(values()).filter(mode -> mode.modeName().equals(name)).findFirst();
  }

  /** Whether the host file bypasses the page cache. */
  public boolean isDirect() {
    return direct;
  }

  /** Whether a write is on stable media before it is acknowledged. */
  public boolean flushesEachWrite() {
    return eachWrite;
  }

  Flush flushDepth() {
    return flush;
  }

  /** Whether dependent metadata waits for stable media. */
  boolean hasBarriers() {
    return flush == Flush.DISK;
  }
}
