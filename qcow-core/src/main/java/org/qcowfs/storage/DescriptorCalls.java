package org.qcowfs.storage;

import java.nio.ByteBuffer;
import org.qcowfs.error.HostIoException;

/** The kernel's answers to {@link FileCalls}. */
record DescriptorCalls(int fd) implements FileCalls {
  @Override
  public int pread(ByteBuffer direct, long hostOffset) throws HostIoException {
    return Posix.pread(fd, direct, hostOffset);
  }

  @Override
  public int pwrite(ByteBuffer direct, long hostOffset) throws HostIoException {
    return Posix.pwrite(fd, direct, hostOffset);
  }

  @Override
  public long pwritev(ByteBuffer[] direct, int first, long hostOffset) throws HostIoException {
    return Posix.pwritev(fd, direct, first, hostOffset);
  }

  @Override
  public void fdatasync() throws HostIoException {
    Posix.fdatasync(fd);
  }

  @Override
  public void ftruncate(long bytes) throws HostIoException {
    Posix.ftruncate(fd, bytes);
  }

  @Override
  public void fallocate(int mode, long hostOffset, long bytes) throws HostIoException {
    Posix.fallocate(fd, mode, hostOffset, bytes);
  }

  @Override
  public long lseek(long hostOffset, int whence) throws HostIoException {
    return Posix.lseek(fd, hostOffset, whence);
  }

  @Override
  public Posix.Status status() throws HostIoException {
    return Posix.status(fd);
  }

  @Override
  public DirectAlignment directAlignment() throws HostIoException {
    return Posix.directAlignment(fd);
  }

  @Override
  public void setDirect(boolean direct) throws HostIoException {
    Posix.setFlags(fd, Posix.O_DIRECT, direct);
  }

  @Override
  public void close() throws HostIoException {
    Posix.close(fd);
  }
}
