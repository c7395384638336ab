package org.qcowfs.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.error.HostIoException;

/** The kernel's answers, for tests to replace one or the other. */
class ForwardingCalls implements FileCalls {
  private final FileCalls kernel;

  ForwardingCalls(int fd) {
    kernel = new DescriptorCalls(fd);
  }

  @Override
  public int pread(ByteBuffer direct, long hostOffset) throws HostIoException {
    return kernel.pread(direct, hostOffset);
  }

  @Override
  public int pwrite(ByteBuffer direct, long hostOffset) throws HostIoException {
    return kernel.pwrite(direct, hostOffset);
  }

  @Override
  public long pwritev(ByteBuffer[] direct, int first, long hostOffset) throws HostIoException {
    return kernel.pwritev(direct, first, hostOffset);
  }

  @Override
  public void fdatasync() throws HostIoException {
    kernel.fdatasync();
  }

  @Override
  public void ftruncate(long bytes) throws HostIoException {
    kernel.ftruncate(bytes);
  }

  @Override
  public void fallocate(int mode, long hostOffset, long bytes) throws HostIoException {
    kernel.fallocate(mode, hostOffset, bytes);
  }

  @Override
  public long lseek(long hostOffset, int whence) throws HostIoException {
    return kernel.lseek(hostOffset, whence);
  }

  @Override
  public Posix.Status status() throws HostIoException {
    return kernel.status();
  }

  @Override
  public DirectAlignment directAlignment() throws HostIoException {
    return kernel.directAlignment();
  }

  @Override
  public void setDirect(boolean direct) throws HostIoException {
    kernel.setDirect(direct);
  }

  @Override
  public void close() throws IOException {
    kernel.close();
  }
}
