package org.qcowfs.tree;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.LoggerFactory;

/**
 * How many bytes of a disk are allocated. Counted when first asked for, and again where the disk
 * has changed since; but a count that took long is believed for a while, so that whoever looks at a
 * large disk time and again does not keep a thread busy with counting.
 *
 * <p>Counting holds a lock that no read or write takes.
 */
final class AllocatedBytes {
  /** Counting takes at most one part in so many of the time. */
  private static final int SHARE = 20;

  private final LongSupplier size;
  private final DeviceSource source;
  private final Changes changes;
  private final LongSupplier nanoTime;

  @GuardedBy("this")
  private boolean counted;

  @GuardedBy("this")
  private long bytes;

  @GuardedBy("this")
  private long countedAtChange;

  @GuardedBy("this")
  private long believedUntil;

  /**
   * @param size of the disk in bytes; known before the disk is opened
   */
  AllocatedBytes(LongSupplier size, DeviceSource source, Changes changes) {
    this(size, source, changes, System::nanoTime);
  }

  AllocatedBytes(LongSupplier size, DeviceSource source, Changes changes, LongSupplier nanoTime) {
    this.size = size;
    this.source = source;
    this.changes = changes;
    this.nanoTime = nanoTime;
  }

  /** A disk with broken metadata counts as full: what can be read of it shall be found. */
  synchronized long get() {
    long change = changes.count();
    long begin = nanoTime.getAsLong();
    boolean stale = change != countedAtChange && begin - believedUntil >= 0;
    if (!counted || stale) {
      bytes = count();
      long end = nanoTime.getAsLong();
      believedUntil = end + (end - begin) * SHARE;
      countedAtChange = change;
      counted = true;
    }
    return bytes;
  }

  private long count() {
    AtomicLong allocated = new AtomicLong();
    long all = size.getAsLong();
    try {
      source
          .open()
          .extents(
              0,
              all,
              extent -> {
                if (extent.isAllocatedData()) {
                  allocated.addAndGet(extent.length());
                }
              });
      return allocated.get();
    } catch (IOException | IndexOutOfBoundsException e) { // out of bounds: just cut shorter
      LoggerFactory.getLogger(AllocatedBytes.class)
          .debug("allocated bytes unknown, all are counted: {}", e.getMessage());
      return all;
    }
  }
}
