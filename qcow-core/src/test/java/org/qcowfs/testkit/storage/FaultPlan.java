package org.qcowfs.testkit.storage;

import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.qcowfs.testkit.storage.StorageOperation.Kind;

/**
 * Says which operation of a run fails, and how. The operations that can meet the fault are counted
 * from 1, over all files of the run.
 *
 * <p>Thread rules: any number of threads.
 */
public final class FaultPlan {
  private static final Set<Kind> ALL = EnumSet.complementOf(EnumSet.of(Kind.FLUSH_DONE));
  private static final Set<Kind> CHANGES =
      EnumSet.complementOf(EnumSet.of(Kind.FLUSH_DONE, Kind.FLUSH, Kind.READ));
  private static final Set<Kind> TAKING_SPACE =
      EnumSet.of(Kind.WRITE, Kind.RESIZE, Kind.ZERO_RANGE, Kind.ALLOCATE);

  /** What a fault looks like. */
  public enum Fault {
    /** Nothing is done. */
    EIO(ALL, 5),
    /** Nothing is done, for want of space. */
    ENOSPC(TAKING_SPACE, 28),
    /** The first half is written, in whole sectors. */
    SHORT_WRITE(EnumSet.of(Kind.WRITE), 5),
    /** All is done, and reported as failed. */
    LATE(CHANGES, 5),
    /** There is no memory for a buffer, say. */
    OUT_OF_MEMORY(ALL, 0);

    @SuppressWarnings("ImmutableEnumChecker") // nobody changes the set
    private final Set<Kind> kinds;

    private final int errno;

    Fault(Set<Kind> kinds, int errno) {
      this.kinds = kinds;
      this.errno = errno;
    }

    /** The number that the guest must see. */
    public int errno() {
      return errno;
    }
  }

  private final Fault fault;
  private final long n;
  private final boolean forGood;
  private long operations;
  private boolean met;
  private boolean healed;
  private boolean flushFailed;

  /**
   * @param n which operation fails
   * @param forGood whether those behind it fail too, until all is healed
   */
  public FaultPlan(Fault fault, long n, boolean forGood) {
    this.fault = fault;
    this.n = n;
    this.forGood = forGood;
  }

  /** Counts an operation; the fault that it meets, if any. */
  synchronized @Nullable Fault next(Kind kind) {
    if (healed || !fault.kinds.contains(kind)) {
      return null;
    }
    operations++;
    if (operations != n && (operations < n || !forGood)) {
      return null;
    }
    met = true;
    flushFailed |= kind == Kind.FLUSH && fault == Fault.EIO;
    return fault;
  }

  /** Nothing fails any more, but for what a failed flush has made final. */
  public synchronized void heal() {
    healed = true;
  }

  /** Whether there was an n-th operation. */
  public synchronized boolean isMet() {
    return met;
  }

  /** Whether a flush has failed. */
  public synchronized boolean hasFlushFailed() {
    return flushFailed;
  }

  /** How many operations could have met the fault so far. */
  public synchronized long operations() {
    return operations;
  }
}
