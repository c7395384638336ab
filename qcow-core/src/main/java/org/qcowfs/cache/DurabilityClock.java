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

  /** Why nothing may be written any more, if so. */
  private volatile @Nullable Stop stop;

  private record Stop(int errno, String reason) {}

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

  /** Whether dependent writes wait for each other to be durable. */
  public boolean hasBarriers() {
    return barriers;
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
    Stop stopped = stop;
    if (stopped != null) {
      throw new HostIoException(stopped.errno(), stopped.reason());
    }
  }

  /** Whether {@link #checkSound} refuses to go on. */
  public boolean isStopped() {
    return stop != null;
  }

  /**
   * Lets nothing go on from here, as after a flush that failed: what was written before may be
   * gone.
   *
   * @param cause what {@link #checkSound} is going to give as the reason, unless there is one
   *     already
   */
  public void stop(HostIoException cause) {
    stop(
        cause.errno(),
        cause.getMessage()
            + "; no longer written to since then: unmount, mend the disk, then check the image");
  }

  /**
   * Lets nothing go on from here.
   *
   * @param errno the host's number for what {@link #checkSound} is going to throw
   * @param reason its message, unless there is one already: which file, why, and what to do
   */
  public synchronized void stop(int errno, String reason) {
    if (stop == null) {
      stop = new Stop(errno, reason);
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
        stop(e);
        throw e;
      }
      durable = number;
    }
  }
}
