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
  private final Map<Long, Handle> byNumber = new ConcurrentHashMap<>();
  private final AtomicLong lastNumber = new AtomicLong();

  /** How a program has a file open. */
  private record Handle(OpenFile file, boolean forWriting) {}

  long add(OpenFile file, boolean forWriting) {
    long number = lastNumber.incrementAndGet();
    byNumber.put(number, new Handle(file, forWriting));
    return number;
  }

  @Nullable OpenFile get(long number) {
    Handle handle = byNumber.get(number);
    return handle == null ? null : handle.file;
  }

  boolean isForWriting(long number) {
    Handle handle = byNumber.get(number);
    return handle != null && handle.forWriting;
  }

  void close(long number) throws IOException {
    Handle handle = byNumber.remove(number);
    if (handle != null) {
      handle.file.close();
    }
  }
}
