package org.qcowfs.tree;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Keeps right what the kernel has cached of the disk's file while the disk is also read and written
 * by way of its partitions, whose files are not cached. As long as nobody has the disk's file open,
 * nothing is asked of the kernel: it forgets everything at the next open instead.
 *
 * <p>A write through the pages puts its bytes there before it is sent to us, and need not keep the
 * page locked meanwhile. If just then the page is dropped, and brought back by somebody who reads
 * what we have until then, the write would end with a page that lacks it. So the first write that
 * ends after a drop has a look at the pages. That is enough: the kernel lets writes through the
 * pages of a file happen one after the other, so there is one at most that a drop can have met, and
 * it is the next one to end.
 *
 * <p>Pages are the measure of it: who changes bytes by mmap(2) while others change other bytes of
 * the same page at the same moment may undo their change.
 */
final class DiskPages {
  /** Stands for the pages of a file that nobody has open. */
  private static final PageCache NONE =
      new PageCache() {
        @Override
        public void drop(long offset, long length) {}

        @Override
        public void dropOutdated(ByteBuffer written, long offset) {}
      };

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

  /** How many drops are under way. */
  @GuardedBy("this")
  private int dropping;

  /** Whether a drop has begun, or was not at its end, since the last write through the pages. */
  private volatile boolean dropped;

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
    drop(pages, guestOffset, length);
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
    drop(pages, guestOffset, length);
  }

  private void drop(PageCache pages, long guestOffset, long length) throws IOException {
    if (pages == NONE) {
      return;
    }
    synchronized (this) {
      dropping++;
      dropped = true;
    }
    try {
      pages.drop(guestOffset, length);
    } finally {
      synchronized (this) {
        dropping--;
      }
    }
  }

  /**
   * After a program's write through the pages has reached the disk, and before it is answered.
   *
   * @param written its remaining bytes; not changed
   */
  void writtenThrough(ByteBuffer written, long guestOffset) throws IOException {
    if (!dropped) {
      return;
    }
    PageCache pages;
    synchronized (this) {
      dropped = dropping > 0;
      pages = cache;
    }
    pages.dropOutdated(written, guestOffset);
  }
}
