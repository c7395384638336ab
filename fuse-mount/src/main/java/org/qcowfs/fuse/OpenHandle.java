package org.qcowfs.fuse;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.errno.Errno;
import org.qcowfs.tree.OpenFile;

/**
 * How a program has a file open. Here is what a read or write answers, whichever way the request
 * has come. Any number of threads.
 */
final class OpenHandle {
  /** O_SYNC has this bit too. */
  private static final int O_DSYNC = 0x1000;

  private final OpenFile file;
  private final String path;
  private final boolean forWriting;
  private final boolean bypassesCache;
  private long number;

  /**
   * @param path for the log
   * @param bypassesCache whether the kernel hands each read and write on as it is
   */
  OpenHandle(OpenFile file, String path, boolean forWriting, boolean bypassesCache) {
    this.file = file;
    this.path = path;
    this.forWriting = forWriting;
    this.bypassesCache = bypassesCache;
  }

  /** Said once, before any other thread knows of the handle. */
  void isKnownAs(long newNumber) {
    number = newNumber;
  }

  long number() {
    return number;
  }

  OpenFile file() {
    return file;
  }

  String path() {
    return path;
  }

  boolean isForWriting() {
    return forWriting;
  }

  /** Fills the buffer as far as the file reaches; returns how many bytes that were. */
  int read(ByteBuffer destination, long offset) throws IOException {
    return file.read(destination, offset);
  }

  /**
   * Writes the buffer as far as the file reaches.
   *
   * @param flags of open(2) as they hold for this write
   * @return how many bytes were written, or a negative error number
   */
  int write(ByteBuffer source, long offset, int flags) throws IOException {
    int size = source.remaining();
    int written = file.write(source, offset);
    if (written == 0 && size > 0) {
      return -Errno.ENOSPC;
    }
    if (bypassesCache && (flags & O_DSYNC) != 0) {
      file.flush(); // of other files the kernel asks for it by itself
    }
    return written;
  }

  /** As {@link #write}, but of pages that the kernel writes out at a time of its own. */
  int writeBack(ByteBuffer source, long offset) throws IOException {
    int size = source.remaining();
    int written = file.writeBack(source, offset);
    return written == 0 && size > 0 ? -Errno.ENOSPC : written;
  }
}
