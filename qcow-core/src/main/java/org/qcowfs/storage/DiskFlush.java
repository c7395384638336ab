package org.qcowfs.storage;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.qcowfs.error.HostIoException;

/**
 * Brings one file's written bytes to stable media, and remembers for good when that failed: the
 * kernel reports such a failure once and may have dropped what it could not write, so a later
 * success would prove nothing.
 *
 * <p>Callers that wait for each other share: whoever asked before a flush began is served by it.
 */
final class DiskFlush {
  private static final int EIO = 5;

  private final FileCalls calls;
  private final ReentrantLock lock = new ReentrantLock();

  /** Flushes begun; increased under the lock, read by everyone. */
  private volatile long begun;

  private volatile @Nullable HostIoException failure;

  DiskFlush(FileCalls calls) {
    this.calls = calls;
  }

  /**
   * Returns when everything that was written before the call is on stable media.
   *
   * <p>Invariant: with the lock free, each flush that was begun has ended and left its failure, if
   * any, in {@code failure}. One flush at a time: of two that overlap, the kernel would tell only
   * one that it failed.
   */
  void flush() throws HostIoException {
    long seen = begun;
    lock.lock();
    try {
      checkSound();
      if (begun == seen) {
        begin(seen);
      }
    } finally {
      lock.unlock();
    }
  }

  @GuardedBy("lock")
  private void begin(long seen) throws HostIoException {
    @Nullable HostIoException outcome =
        new HostIoException(EIO, "a flush to disk did not come to its end");
    begun = seen + 1;
    try {
      calls.fdatasync();
      outcome = null;
    } catch (HostIoException e) {
      outcome = e;
      throw e;
    } finally {
      // Whatever else is thrown, such as for want of memory: those that wait must not take the
      // flush for done, and nobody will tell a second time that it failed.
      failure = outcome;
    }
  }

  /**
   * Refuses what would write or flush, once a flush has failed.
   *
   * @throws HostIoException with the error number of the failed flush
   */
  void checkSound() throws HostIoException {
    HostIoException cause = failure;
    if (cause != null) {
      throw new HostIoException(
          cause.errno(),
          "no longer written to, since an earlier flush to disk failed: %s; unmount, mend the disk,"
                  .formatted(Posix.describe(cause.errno()))
              + " then check the image");
    }
  }
}
