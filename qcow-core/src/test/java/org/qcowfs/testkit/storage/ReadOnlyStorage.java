package org.qcowfs.testkit.storage;

import java.nio.ByteBuffer;
import org.qcowfs.error.HostIoException;
import org.qcowfs.storage.BlockStorage;

/** A host file that is open for reading only: every change fails with EBADF, as the host has it. */
public abstract class ReadOnlyStorage implements BlockStorage {
  private static final int EBADF = 9;

  @Override
  public final boolean isWritable() {
    return false;
  }

  @Override
  public final void write(ByteBuffer source, long hostOffset) throws HostIoException {
    throw refusal();
  }

  @Override
  public final void write(ByteBuffer[] sources, long hostOffset) throws HostIoException {
    throw refusal();
  }

  @Override
  public final void flushToDisk() {
    // nothing was written
  }

  @Override
  public final void resize(long bytes) throws HostIoException {
    throw refusal();
  }

  @Override
  public final void punchHole(long hostOffset, long bytes) throws HostIoException {
    throw refusal();
  }

  @Override
  public final void zeroRange(long hostOffset, long bytes) throws HostIoException {
    throw refusal();
  }

  @Override
  public final void allocate(long hostOffset, long bytes) throws HostIoException {
    throw refusal();
  }

  private HostIoException refusal() {
    return new HostIoException(EBADF, name() + ": is open for reading only");
  }
}
