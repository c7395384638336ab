package org.qcowfs.cache;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.qcowfs.error.HostIoException;

/**
 * Knows which writes have reached stable media, so that one flush-to-disk serves everything that
 * waits for it.
 *
 * <p>Flushes are numbered in the order in which they begin. A flush covers what was written before
 * it began; so what is written now is durable once the next flush to begin has ended. That number
 * is the ticket.
 *
 * <p>Thread rules: any number of threads. Those that wait at the same time share a flush.
 */
public final class DurabilityClock {
  /** Flushes every file whose writes take tickets from the clock. */
  @FunctionalInterface
  public interface Flush {
    void flushToDisk() throws IOException;
  }

  private final Flush flush;
  private final AtomicLong begun = new AtomicLong();
  private volatile long durable;
  private volatile boolean barriers = true;

  /** Why nothing can be known to be durable any more, if so. */
  private volatile @Nullable HostIoException failure;

  public DurabilityClock(Flush flush) {
    this.flush = flush;
  }

  /**
   * Whether dependent writes wait for each other to be durable. Without barriers the order in which
   * they reach the operating system is all there is, which survives the death of this process only.
   */
  public void setBarriers(boolean value) {
    barriers = value;
  }

  /** The ticket of everything whose write has returned by now. */
  public long ticket() {
    return begun.get() + 1;
  }

  /** Whether a write with the ticket is durable, or needs not be. */
  public boolean isSettled(long ticket) {
    return ticket <= durable || !barriers;
  }

  /** Returns when writes with the ticket are durable, or need not be. */
  public void settle(long ticket) throws IOException {
    if (!isSettled(ticket)) {
      flushToDisk(ticket);
    }
  }

  /**
   * Refuses to go on once a flush has failed, or {@link #stop} was called: of what was written
   * before, nobody knows what is there, so nothing may be promised that depends on it.
   *
   * @throws HostIoException with the error number of the failed flush, or of the cause
   */
  public void checkSound() throws HostIoException {
    HostIoException cause = failure;
    if (cause != null) {
      throw new HostIoException(
          cause.errno(),
          cause.getMessage()
              + "; no longer written to since then: unmount, mend the disk, then check the image");
    }
  }

  /**
   * Lets nothing go on from here, as after a flush that failed: what was written before may be
   * gone.
   *
   * @param cause what {@link #checkSound} is going to give as the reason, unless there is one
   *     already
   */
  public synchronized void stop(HostIoException cause) {
    if (failure == null) {
      failure = cause;
    }
  }

  /** Returns when everything written before the call is durable, whatever the barriers are. */
  public void flushToDisk() throws IOException {
    flushToDisk(ticket());
  }

  private synchronized void flushToDisk(long ticket) throws IOException {
    checkSound();
    if (ticket > durable) {
      long number = begun.incrementAndGet();
      try {
        flush.flushToDisk();
      } catch (HostIoException e) {
        failure = e;
        throw e;
      }
      durable = number;
    }
  }
}
