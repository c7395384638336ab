package org.qcowfs.testkit.storage;

import java.io.IOException;
import org.qcowfs.storage.BlockStorage;

/** Pauses before a flush, and nowhere else. */
public final class FlushPause extends ForwardingStorage {
  private final Runnable pause;

  public FlushPause(BlockStorage delegate, Runnable pause) {
    super(delegate);
    this.pause = pause;
  }

  @Override
  public void flushToDisk() throws IOException {
    pause.run();
    super.flushToDisk();
  }
}
