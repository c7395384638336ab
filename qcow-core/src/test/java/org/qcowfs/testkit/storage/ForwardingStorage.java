package org.qcowfs.testkit.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.qcowfs.storage.BlockStorage;

/** Passes everything on: what decorators begin from. */
abstract class ForwardingStorage implements BlockStorage {
  private final BlockStorage delegate;

  ForwardingStorage(BlockStorage delegate) {
    this.delegate = delegate;
  }

  @Override
  public Path name() {
    return delegate.name();
  }

  @Override
  public boolean isWritable() {
    return delegate.isWritable();
  }

  @Override
  public long size() throws IOException {
    return delegate.size();
  }

  @Override
  public long allocatedBytes() throws IOException {
    return delegate.allocatedBytes();
  }

  @Override
  public int read(ByteBuffer destination, long hostOffset) throws IOException {
    return delegate.read(destination, hostOffset);
  }

  @Override
  public void write(ByteBuffer source, long hostOffset) throws IOException {
    delegate.write(source, hostOffset);
  }

  @Override
  public void write(ByteBuffer[] sources, long hostOffset) throws IOException {
    delegate.write(sources, hostOffset);
  }

  @Override
  public void flushToDisk() throws IOException {
    delegate.flushToDisk();
  }

  @Override
  public void resize(long bytes) throws IOException {
    delegate.resize(bytes);
  }

  @Override
  public void punchHole(long hostOffset, long bytes) throws IOException {
    delegate.punchHole(hostOffset, bytes);
  }

  @Override
  public void zeroRange(long hostOffset, long bytes) throws IOException {
    delegate.zeroRange(hostOffset, bytes);
  }

  @Override
  public void allocate(long hostOffset, long bytes) throws IOException {
    delegate.allocate(hostOffset, bytes);
  }

  @Override
  public long nextData(long hostOffset) throws IOException {
    return delegate.nextData(hostOffset);
  }

  @Override
  public long nextHole(long hostOffset) throws IOException {
    return delegate.nextHole(hostOffset);
  }

  @Override
  public void close() throws IOException {
    delegate.close();
  }
}
