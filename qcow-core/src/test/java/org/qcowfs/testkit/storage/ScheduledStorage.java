package org.qcowfs.testkit.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.storage.BlockStorage;

/** Pauses before each operation: there another thread may come first. */
public final class ScheduledStorage extends ForwardingStorage {
  private final Runnable pause;

  public ScheduledStorage(BlockStorage delegate, Runnable pause) {
    super(delegate);
    this.pause = pause;
  }

  @Override
  public int read(ByteBuffer destination, long hostOffset) throws IOException {
    pause.run();
    return super.read(destination, hostOffset);
  }

  @Override
  public void write(ByteBuffer source, long hostOffset) throws IOException {
    pause.run();
    super.write(source, hostOffset);
  }

  @Override
  public void write(ByteBuffer[] sources, long hostOffset) throws IOException {
    pause.run();
    super.write(sources, hostOffset);
  }

  @Override
  public void flushToDisk() throws IOException {
    pause.run();
    super.flushToDisk();
  }

  @Override
  public void resize(long bytes) throws IOException {
    pause.run();
    super.resize(bytes);
  }

  @Override
  public void punchHole(long hostOffset, long bytes) throws IOException {
    pause.run();
    super.punchHole(hostOffset, bytes);
  }

  @Override
  public void zeroRange(long hostOffset, long bytes) throws IOException {
    pause.run();
    super.zeroRange(hostOffset, bytes);
  }

  @Override
  public void allocate(long hostOffset, long bytes) throws IOException {
    pause.run();
    super.allocate(hostOffset, bytes);
  }
}
