package org.qcowfs.testkit.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.storage.StorageOperation.Kind;

/**
 * Records each operation that succeeded, in the order in which they took effect. A flush appears
 * twice, when it begins and when it has returned: it covers what stands before its beginning.
 *
 * <p>Thread rules: any number of threads; changes are made one at a time, flushes beside them.
 */
public final class RecordingStorage extends ForwardingStorage {
  private final List<StorageOperation> operations = new ArrayList<>();
  private final Consumer<StorageOperation> record;
  private final Object changes = new Object();
  private long flushes;

  public RecordingStorage(BlockStorage delegate) {
    super(delegate);
    record = operations::add;
  }

  /**
   * @param record takes each operation, one at a time, in place of the record that is kept here
   */
  public RecordingStorage(BlockStorage delegate, Consumer<StorageOperation> record) {
    super(delegate);
    this.record = record;
  }

  private interface Change {
    void make() throws IOException;
  }

  /** What was recorded so far. */
  public List<StorageOperation> operations() {
    synchronized (changes) {
      return List.copyOf(operations);
    }
  }

  /** How many operations of a kind were recorded. */
  public long count(Kind kind) {
    return operations().stream().filter(operation -> operation.kind() == kind).count();
  }

  /** Forgets what was recorded so far. */
  public void clear() {
    synchronized (changes) {
      operations.clear();
    }
  }

  @Override
  public int read(ByteBuffer destination, long hostOffset) throws IOException {
    int count = super.read(destination, hostOffset);
    record(StorageOperation.of(Kind.READ, hostOffset, count));
    return count;
  }

  @Override
  public void write(ByteBuffer source, long hostOffset) throws IOException {
    StorageOperation operation = StorageOperation.write(hostOffset, source);
    recordChange(operation, () -> super.write(source, hostOffset));
  }

  @Override
  public void write(ByteBuffer[] sources, long hostOffset) throws IOException {
    StorageOperation operation = StorageOperation.write(hostOffset, sources);
    recordChange(operation, () -> super.write(sources, hostOffset));
  }

  @Override
  public void flushToDisk() throws IOException {
    long number;
    synchronized (changes) {
      number = flushes++;
      record.accept(StorageOperation.of(Kind.FLUSH, number, 0));
    }
    super.flushToDisk();
    record(StorageOperation.of(Kind.FLUSH_DONE, number, 0));
  }

  @Override
  public void resize(long bytes) throws IOException {
    recordChange(StorageOperation.of(Kind.RESIZE, bytes, 0), () -> super.resize(bytes));
  }

  @Override
  public void punchHole(long hostOffset, long bytes) throws IOException {
    recordChange(
        StorageOperation.of(Kind.PUNCH_HOLE, hostOffset, bytes),
        () -> super.punchHole(hostOffset, bytes));
  }

  @Override
  public void zeroRange(long hostOffset, long bytes) throws IOException {
    recordChange(
        StorageOperation.of(Kind.ZERO_RANGE, hostOffset, bytes),
        () -> super.zeroRange(hostOffset, bytes));
  }

  @Override
  public void allocate(long hostOffset, long bytes) throws IOException {
    recordChange(
        StorageOperation.of(Kind.ALLOCATE, hostOffset, bytes),
        () -> super.allocate(hostOffset, bytes));
  }

  private void recordChange(StorageOperation operation, Change change) throws IOException {
    synchronized (changes) {
      change.make();
      record.accept(operation);
    }
  }

  private void record(StorageOperation operation) {
    synchronized (changes) {
      record.accept(operation);
    }
  }
}
