package org.qcowfs.tree;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;

/**
 * Keeps right what the kernel has cached of the disk's file while the disk is also read and written
 * by way of its partitions, whose files are not cached. As long as nobody has the disk's file open,
 * nothing is asked of the kernel: it forgets everything at the next open instead.
 *
 * <p>Pages are the measure of it: who changes bytes by mmap(2) while others change other bytes of
 * the same page at the same moment may undo their change.
 */
final class DiskPages {
  /** Stands for the pages of a file that nobody has open. */
  private static final PageCache NONE = (offset, length) -> {};

  @GuardedBy("this")
  private PageCache cache = NONE;

  @GuardedBy("this")
  private int opens;

  @GuardedBy("this")
  private int writers;

  @GuardedBy("this")
  private int keepers;

  /** Whether somebody has the file open in such a way that the kernel keeps pages of it. */
  private volatile boolean kept;

  @GuardedBy("this")
  private boolean outdated;

  /**
   * The disk's file is being opened. {@link #closed} must follow.
   *
   * @param bypassed whether it is read and written past the pages; it cannot be mapped then
   * @return whether the kernel may keep the pages that it has
   */
  synchronized boolean opened(PageCache pages, boolean forWriting, boolean bypassed) {
    cache = pages;
    opens++;
    count(forWriting, bypassed, 1);
    return !outdated;
  }

  /** The last open has made the kernel forget what it had, and later changes told it. */
  synchronized void closed(boolean forWriting, boolean bypassed) {
    opens--;
    count(forWriting, bypassed, -1);
    if (opens == 0) {
      cache = NONE;
      outdated = false;
    }
  }

  @GuardedBy("this")
  private void count(boolean forWriting, boolean bypassed, int change) {
    if (!bypassed) {
      writers += forWriting ? change : 0;
      keepers += change;
      kept = keepers > 0;
    }
  }

  /**
   * Before a range of the disk is read or changed by way of a partition: brings in what was changed
   * through mappings. Only who has the file open for writing can have done so.
   */
  void writeOut(long guestOffset, long length) throws IOException {
    PageCache pages;
    synchronized (this) {
      pages = writers == 0 ? NONE : cache;
    }
    pages.drop(guestOffset, length);
  }

  /**
   * After a range was changed through the disk's own file, but past the pages. The kernel has
   * forgotten them before; who read there meanwhile may have brought them back.
   */
  void forgetBroughtBack(long guestOffset, long length) throws IOException {
    if (kept) {
      forget(guestOffset, length);
    }
  }

  /** After a range of the disk was changed by way of a partition, and before anybody is told. */
  void forget(long guestOffset, long length) throws IOException {
    PageCache pages;
    synchronized (this) {
      outdated |= opens == 0;
      pages = cache;
    }
    pages.drop(guestOffset, length);
  }
}
