package org.qcowfs.testkit.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.qcowfs.error.HostIoException;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.storage.StorageOperation.Kind;

/**
 * Fails when told to. Operations of each kind are counted from 1, whether they fail or not; a
 * failed one changes nothing, but for a write that is told to be torn. As the contract has it, a
 * flush that fails once fails for good, and with it every later change.
 *
 * <p>Thread rules: any number of threads.
 */
public final class FailingStorage extends ForwardingStorage {
  private final Map<Kind, Long> counts = new EnumMap<>(Kind.class);
  private final List<Fault> faults = new ArrayList<>();
  private long changes;
  private @Nullable Fault failedFlush;

  private record Fault(@Nullable Kind kind, LongPredicate when, int errno, int bytesBefore) {}

  public FailingStorage(BlockStorage delegate) {
    super(delegate);
  }

  /** The n-th operation of the kind fails, and no other. */
  public synchronized void failOnce(Kind kind, long n, int errno) {
    faults.add(new Fault(kind, number -> number == n, errno, 0));
  }

  /** The n-th operation of the kind fails, and all behind it. */
  public synchronized void failFrom(Kind kind, long n, int errno) {
    faults.add(new Fault(kind, number -> number >= n, errno, 0));
  }

  /** The n-th change or flush fails, of whatever kind it is. Reads do not count. */
  public synchronized void failChangeOnce(long n, int errno) {
    faults.add(new Fault(null, number -> number == n, errno, 0));
  }

  /** The n-th change or flush fails, and all behind it. */
  public synchronized void failChangesFrom(long n, int errno) {
    faults.add(new Fault(null, number -> number >= n, errno, 0));
  }

  /** The n-th write fails when its first bytes have been written. */
  public synchronized void tearWrite(long n, int bytesWritten, int errno) {
    faults.add(new Fault(Kind.WRITE, number -> number == n, errno, bytesWritten));
  }

  /** Nothing fails any more, not even after a failed flush. Counts go on. */
  public synchronized void heal() {
    faults.clear();
    failedFlush = null;
  }

  /** How many operations of the kind there were. */
  public synchronized long count(Kind kind) {
    return counts.getOrDefault(kind, 0L);
  }

  /** How many changes and flushes there were. */
  public synchronized long changes() {
    return changes;
  }

  @Override
  public int read(ByteBuffer destination, long hostOffset) throws IOException {
    check(Kind.READ);
    return super.read(destination, hostOffset);
  }

  @Override
  public void write(ByteBuffer source, long hostOffset) throws IOException {
    write(new ByteBuffer[] {source}, hostOffset);
  }

  @Override
  public void write(ByteBuffer[] sources, long hostOffset) throws IOException {
    Fault fault = next(Kind.WRITE);
    if (fault == null) {
      super.write(sources, hostOffset);
      return;
    }
    ByteBuffer bytes = StorageOperation.write(hostOffset, sources).bytes().duplicate();
    super.write(bytes.limit(Math.min(bytes.limit(), fault.bytesBefore)), hostOffset);
    throw failure(fault, Kind.WRITE);
  }

  @Override
  public void flushToDisk() throws IOException {
    check(Kind.FLUSH);
    super.flushToDisk();
  }

  @Override
  public void resize(long bytes) throws IOException {
    check(Kind.RESIZE);
    super.resize(bytes);
  }

  @Override
  public void punchHole(long hostOffset, long bytes) throws IOException {
    check(Kind.PUNCH_HOLE);
    super.punchHole(hostOffset, bytes);
  }

  @Override
  public void zeroRange(long hostOffset, long bytes) throws IOException {
    check(Kind.ZERO_RANGE);
    super.zeroRange(hostOffset, bytes);
  }

  @Override
  public void allocate(long hostOffset, long bytes) throws IOException {
    check(Kind.ALLOCATE);
    super.allocate(hostOffset, bytes);
  }

  private void check(Kind kind) throws HostIoException {
    Fault fault = next(kind);
    if (fault != null) {
      throw failure(fault, kind);
    }
  }

  /** Counts an operation; the fault that it meets, if any. */
  private synchronized @Nullable Fault next(Kind kind) {
    long ofKind = counts.merge(kind, 1L, Long::sum);
    if (kind != Kind.READ) {
      changes++;
      if (failedFlush != null) {
        return failedFlush;
      }
    }
    for (Fault fault : faults) {
      boolean met =
          fault.kind == null
              ? kind != Kind.READ && fault.when.test(changes)
              : fault.kind == kind && fault.when.test(ofKind);
      if (met) {
        if (kind == Kind.FLUSH) {
          failedFlush = fault;
        }
        return fault;
      }
    }
    return null;
  }

  private HostIoException failure(Fault fault, Kind kind) {
    return new HostIoException(
        fault.errno, "%s: %s failed as told, errno %d".formatted(name(), kind, fault.errno));
  }
}
