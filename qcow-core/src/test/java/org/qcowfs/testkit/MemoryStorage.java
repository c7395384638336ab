package org.qcowfs.testkit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.qcowfs.error.HostIoException;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.storage.ReadOnlyStorage;

/**
 * A host file that is not there: bytes in memory that count what is read of them and fail when they
 * are told to.
 *
 * <p>Thread rules: as {@link BlockStorage}.
 */
public final class MemoryStorage extends ReadOnlyStorage {
  /** What happens before a read; may wait for a latch, and may throw. */
  @FunctionalInterface
  public interface ReadHook {
    void beforeRead(long hostOffset) throws IOException;
  }

  private final Path name;
  private final SparseBytes bytes;
  private final AtomicInteger reads = new AtomicInteger();
  private final AtomicLong bytesRead = new AtomicLong();
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile ReadHook hook = hostOffset -> {};

  public MemoryStorage(SparseBytes bytes) {
    this("memory.qcow2", bytes);
  }

  public MemoryStorage(String name, SparseBytes bytes) {
    this.name = Path.of(name);
    this.bytes = bytes;
  }

  /** What the file holds; a change is seen by the next read. */
  public SparseBytes bytes() {
    return bytes;
  }

  /** How many reads were asked for, those that failed included. */
  public int reads() {
    return reads.get();
  }

  /** How many bytes were read. */
  public long bytesRead() {
    return bytesRead.get();
  }

  /** Lets the n-th read from now on fail, n from 1, and only that one. */
  public MemoryStorage failRead(int n, int errno) {
    AtomicInteger left = new AtomicInteger(n);
    hook =
        hostOffset -> {
          if (left.decrementAndGet() == 0) {
            throw new HostIoException(errno, name + ": read failed as it was told to");
          }
        };
    return this;
  }

  /** Calls the hook before each read, in the thread that reads. */
  public MemoryStorage beforeEachRead(ReadHook newHook) {
    hook = newHook;
    return this;
  }

  public boolean isClosed() {
    return closed.get();
  }

  @Override
  public Path name() {
    return name;
  }

  @Override
  public long size() {
    return bytes.size();
  }

  @Override
  public long allocatedBytes() {
    return bytes.allocatedBytes();
  }

  @Override
  public int read(ByteBuffer destination, long hostOffset) throws IOException {
    reads.incrementAndGet();
    hook.beforeRead(hostOffset);
    if (closed.get()) {
      throw new IllegalStateException(name + " is closed");
    }
    long inFile = Math.max(0, bytes.size() - hostOffset);
    int count = (int) Math.min(destination.remaining(), inFile);
    destination.put(bytes.read(hostOffset, count));
    bytesRead.addAndGet(count);
    return count;
  }

  @Override
  public long nextData(long hostOffset) {
    return bytes.nextData(hostOffset);
  }

  @Override
  public long nextHole(long hostOffset) {
    return bytes.nextHole(hostOffset);
  }

  @Override
  public void close() {
    closed.set(true);
  }
}
