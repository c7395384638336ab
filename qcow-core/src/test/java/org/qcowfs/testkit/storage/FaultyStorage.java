package org.qcowfs.testkit.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.qcowfs.error.HostIoException;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.storage.FaultPlan.Fault;
import org.qcowfs.testkit.storage.StorageOperation.Kind;

/**
 * Fails as planned. As the contract has it, after a flush that failed every later change and flush
 * of the file fails too, whatever the plan says.
 *
 * <p>Thread rules: any number of threads.
 */
public final class FaultyStorage extends ForwardingStorage {
  private static final int EIO = 5;
  private static final int SECTOR_BYTES = 512;

  private final FaultPlan plan;
  private volatile boolean flushFailed;

  public FaultyStorage(BlockStorage delegate, FaultPlan plan) {
    super(delegate);
    this.plan = plan;
  }

  @FunctionalInterface
  private interface Operation {
    void perform() throws IOException;
  }

  private void perform(Kind kind, Operation operation) throws IOException {
    Fault fault = begin(kind);
    if (fault == null || fault == Fault.LATE) {
      operation.perform();
    }
    end(kind, fault);
  }

  private @Nullable Fault begin(Kind kind) throws HostIoException {
    if (flushFailed && kind != Kind.READ) {
      throw new HostIoException(EIO, kind + " failed, as an earlier flush has failed");
    }
    return plan.next(kind);
  }

  private void end(Kind kind, @Nullable Fault fault) throws HostIoException {
    if (fault == Fault.OUT_OF_MEMORY) {
      throw new OutOfMemoryError(kind + " failed as planned");
    }
    if (fault != null) {
      if (kind == Kind.FLUSH) {
        flushFailed = true;
      }
      throw new HostIoException(fault.errno(), kind + " failed as planned");
    }
  }

  @Override
  public int read(ByteBuffer destination, long hostOffset) throws IOException {
    end(Kind.READ, begin(Kind.READ));
    return super.read(destination, hostOffset);
  }

  @Override
  public void write(ByteBuffer source, long hostOffset) throws IOException {
    write(new ByteBuffer[] {source}, hostOffset);
  }

  @Override
  public void write(ByteBuffer[] sources, long hostOffset) throws IOException {
    Fault fault = begin(Kind.WRITE);
    if (fault == null || fault == Fault.LATE) {
      super.write(sources, hostOffset);
    } else if (fault == Fault.SHORT_WRITE) {
      ByteBuffer bytes = StorageOperation.write(hostOffset, sources).bytes().duplicate();
      super.write(bytes.limit(bytes.limit() / 2 / SECTOR_BYTES * SECTOR_BYTES), hostOffset);
    }
    end(Kind.WRITE, fault);
  }

  @Override
  public void flushToDisk() throws IOException {
    perform(Kind.FLUSH, super::flushToDisk);
  }

  @Override
  public void resize(long bytes) throws IOException {
    perform(Kind.RESIZE, () -> super.resize(bytes));
  }

  @Override
  public void punchHole(long hostOffset, long bytes) throws IOException {
    perform(Kind.PUNCH_HOLE, () -> super.punchHole(hostOffset, bytes));
  }

  @Override
  public void zeroRange(long hostOffset, long bytes) throws IOException {
    perform(Kind.ZERO_RANGE, () -> super.zeroRange(hostOffset, bytes));
  }

  @Override
  public void allocate(long hostOffset, long bytes) throws IOException {
    perform(Kind.ALLOCATE, () -> super.allocate(hostOffset, bytes));
  }
}
