package org.qcowfs.storage;

import java.nio.ByteBuffer;
import org.qcowfs.error.HostIoException;

/**
 * A host that is as strict about O_DIRECT as the strictest disk: while it is set, everything must
 * be aligned to the given block, memory too. It remembers how long the file has ever been.
 */
final class StrictDirectCalls extends ForwardingCalls {
  private final int blockBytes;
  private volatile boolean direct;
  private volatile long longest;

  StrictDirectCalls(int fd, int blockBytes) {
    super(fd);
    this.blockBytes = blockBytes;
  }

  /** The greatest size in bytes that the file had behind any write. */
  long longest() {
    return longest;
  }

  @Override
  public DirectAlignment directAlignment() {
    return new DirectAlignment(blockBytes, blockBytes);
  }

  @Override
  public void setDirect(boolean on) throws HostIoException {
    super.setDirect(on);
    direct = on;
  }

  @Override
  public int pread(ByteBuffer buffer, long hostOffset) throws HostIoException {
    check(buffer, hostOffset);
    return super.pread(buffer, hostOffset);
  }

  @Override
  public int pwrite(ByteBuffer buffer, long hostOffset) throws HostIoException {
    check(buffer, hostOffset);
    int count = super.pwrite(buffer, hostOffset);
    longest = Math.max(longest, size());
    return count;
  }

  @Override
  public long pwritev(ByteBuffer[] buffers, int first, long hostOffset) throws HostIoException {
    for (int i = first; i < buffers.length; i++) {
      check(buffers[i], hostOffset);
    }
    long count = super.pwritev(buffers, first, hostOffset);
    longest = Math.max(longest, size());
    return count;
  }

  private void check(ByteBuffer buffer, long hostOffset) throws HostIoException {
    long mustBeAligned = hostOffset | buffer.remaining() | Posix.address(buffer);
    if (direct && mustBeAligned % blockBytes != 0) {
      throw new HostIoException(
          Posix.EINVAL,
          "not aligned: offset %d, %d bytes".formatted(hostOffset, buffer.remaining()));
    }
  }
}
