package org.qcowfs.fuse;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.qcowfs.tree.OpenFile;

/**
 * The files that programs have open, by the handle that the kernel knows them under. Thread-safe.
 */
final class OpenFiles {
  private final Map<Long, OpenFile> byHandle = new ConcurrentHashMap<>();
  private final AtomicLong lastHandle = new AtomicLong();

  long add(OpenFile file) {
    long handle = lastHandle.incrementAndGet();
    byHandle.put(handle, file);
    return handle;
  }

  @Nullable OpenFile get(long handle) {
    return byHandle.get(handle);
  }

  void close(long handle) throws IOException {
    OpenFile file = byHandle.remove(handle);
    if (file != null) {
      file.close();
    }
  }
}
