package org.qcowfs.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.error.HostIoException;

/**
 * The system calls on one open file. Everything above is indifferent to whether the host's kernel
 * answers them: here tests let the host fail.
 *
 * <p>All buffers are direct. A call may move fewer bytes than it was asked to; it moves the
 * buffers' positions by what it did move.
 */
interface FileCalls {
  /** Reads; 0 at the end of the file. */
  int pread(ByteBuffer direct, long hostOffset) throws HostIoException;

  int pwrite(ByteBuffer direct, long hostOffset) throws HostIoException;

  /** Writes buffers one after the other, from the one with the given index on. */
  long pwritev(ByteBuffer[] direct, int first, long hostOffset) throws HostIoException;

  void fdatasync() throws HostIoException;

  void ftruncate(long bytes) throws HostIoException;

  /** {@code fallocate} with the modes of {@link Posix}. */
  void fallocate(int mode, long hostOffset, long bytes) throws HostIoException;

  /** The new offset, or -1: there is neither data nor a hole behind the offset. */
  long lseek(long hostOffset, int whence) throws HostIoException;

  Posix.Status status() throws HostIoException;

  /**
   * The size in bytes of a file or block device, which is asked for before each change. It moves
   * the descriptor's own offset, of which no other call makes use.
   */
  default long size() throws HostIoException {
    return lseek(0, Posix.SEEK_END);
  }

  /** What O_DIRECT asks for. */
  DirectAlignment directAlignment() throws HostIoException;

  /** Sets or clears O_DIRECT. */
  void setDirect(boolean direct) throws HostIoException;

  void close() throws IOException;
}
