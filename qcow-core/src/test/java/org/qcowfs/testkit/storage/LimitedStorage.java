package org.qcowfs.testkit.storage;

import java.io.IOException;
import org.qcowfs.error.HostIoException;
import org.qcowfs.storage.BlockStorage;

/** Storage that refuses to become longer than it may. For one thread. */
public final class LimitedStorage extends ForwardingStorage {
  private long limit = Long.MAX_VALUE;
  private int errno;

  public LimitedStorage(BlockStorage delegate) {
    super(delegate);
  }

  /** From now on, growing beyond so many bytes fails with that error number. */
  public void limit(long bytes, int number) {
    limit = bytes;
    errno = number;
  }

  @Override
  public void resize(long bytes) throws IOException {
    if (bytes > limit) {
      throw new HostIoException(errno, "resize failed: beyond the limit");
    }
    super.resize(bytes);
  }
}
