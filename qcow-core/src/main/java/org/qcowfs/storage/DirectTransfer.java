package org.qcowfs.storage;

import java.nio.ByteBuffer;
import org.qcowfs.error.HostIoException;

/**
 * Moves bytes around the host's page cache, on a file with O_DIRECT set. What the caller has
 * aligned goes straight between its memory and the disk; all else is copied through a piece of
 * aligned memory that belongs to the thread, and the blocks at the edges of a write are read first.
 *
 * <p>Invariant: a write goes through {@link BlockStripes} block by block, as told there.
 *
 * <p>A write whose last block is partial, and is the file's last too, cannot be made of whole
 * blocks without making the file longer than asked for, be it for a moment. That remainder of less
 * than a block goes by way of the page cache, while no other request is under way.
 */
final class DirectTransfer implements Transfer {
  /** The most that is copied at once. */
  private static final int BOUNCE_BYTES = 1 << 20;

  /** From here on, copying costs more than an additional call. */
  private static final int STRAIGHT_BYTES_MIN = 64 << 10;

  private static final DirectBuffers BOUNCE = new DirectBuffers();

  private final FileCalls calls;
  private final DirectAlignment alignment;
  private final BufferedTransfer buffered;
  private final BlockStripes stripes = new BlockStripes();

  DirectTransfer(FileCalls calls, DirectAlignment alignment) {
    this.calls = calls;
    this.alignment = alignment;
    this.buffered = new BufferedTransfer(calls);
  }

  @Override
  public int read(ByteBuffer destination, long hostOffset) throws HostIoException {
    int total = 0;
    while (destination.hasRemaining()) {
      long offset = hostOffset + total;
      int straight = straightBytes(destination, offset);
      int count =
          straight > 0
              ? readStraight(destination, straight, offset)
              : readThroughBounce(destination, offset);
      if (count == 0) {
        break;
      }
      total += count;
    }
    return total;
  }

  private int readStraight(ByteBuffer destination, int bytes, long offset) throws HostIoException {
    int limit = destination.limit();
    destination.limit(destination.position() + bytes);
    try {
      return calls.pread(destination, offset);
    } finally {
      destination.limit(limit);
    }
  }

  private int readThroughBounce(ByteBuffer destination, long offset) throws HostIoException {
    int bytes = bounceBytes(destination, offset);
    long start = alignment.blockStart(offset);
    int skipped = (int) (offset - start);
    ByteBuffer bounce = BOUNCE.get((int) (alignment.blockEnd(offset + bytes) - start));
    int count = Math.min(bytes, calls.pread(bounce, start) - skipped);
    if (count <= 0) {
      return 0;
    }
    destination.put(bounce.limit(skipped + count).position(skipped));
    return count;
  }

  @Override
  public void write(ByteBuffer source, long hostOffset) throws HostIoException {
    long offset = hostOffset;
    while (source.hasRemaining()) {
      int straight = straightBytes(source, offset);
      if (straight > 0) {
        offset += writeStraight(source, straight, offset);
      } else {
        int bytes = bounceBytes(source, offset);
        writeThroughBounce(new ByteBuffer[] {source}, bytes, offset);
        offset += bytes;
      }
    }
  }

  private int writeStraight(ByteBuffer source, int bytes, long offset) throws HostIoException {
    int limit = source.limit();
    source.limit(source.position() + bytes);
    stripes.lock(offset, offset + bytes, false, false);
    try {
      return checkProgress(calls.pwrite(source, offset));
    } finally {
      stripes.unlock(offset, offset + bytes, false, false);
      source.limit(limit);
    }
  }

  @Override
  public void write(ByteBuffer[] sources, long hostOffset) throws HostIoException {
    long left = Gather.remaining(sources);
    long offset = hostOffset;
    while (left > 0) {
      long written;
      if (alignment.isBlockAligned(offset) && areAllAligned(sources)) {
        written = writeGathered(sources, left, offset);
      } else {
        int bytes = (int) Math.min(left, BOUNCE_BYTES - alignment.blockOffset(offset));
        writeThroughBounce(sources, bytes, offset);
        written = bytes;
      }
      offset += written;
      left -= written;
    }
  }

  private long writeGathered(ByteBuffer[] sources, long bytes, long offset) throws HostIoException {
    stripes.lock(offset, offset + bytes, false, false);
    try {
      return checkProgress(calls.pwritev(sources, Gather.first(sources), offset));
    } finally {
      stripes.unlock(offset, offset + bytes, false, false);
    }
  }

  private boolean areAllAligned(ByteBuffer[] buffers) {
    for (ByteBuffer buffer : buffers) {
      if (!buffer.isDirect()
          || !alignment.isBlockAligned(buffer.remaining())
          || !alignment.isMemoryAligned(Posix.address(buffer))) {
        return false;
      }
    }
    return true;
  }

  /** Makes whole blocks of the sources' next bytes and what the file has around them. */
  private void writeThroughBounce(ByteBuffer[] sources, int bytes, long offset)
      throws HostIoException {
    long end = offset + bytes;
    long start = alignment.blockStart(offset);
    long stop = alignment.blockEnd(end);
    boolean partialHead = start < offset;
    boolean partialTail = end < stop;
    ByteBuffer bounce = BOUNCE.get((int) (stop - start));
    stripes.lock(start, stop, partialHead, partialTail);
    try {
      if (partialHead) {
        readBlock(bounce, start, start);
      }
      if (partialTail && !(partialHead && stop - start == alignment.blockBytes())) {
        readBlock(bounce, start, stop - alignment.blockBytes());
      }
      Gather.copy(sources, bounce.limit((int) (end - start)).position((int) (offset - start)));
      writeBlocks(bounce.limit((int) (stop - start)), start);
    } finally {
      stripes.unlock(start, stop, partialHead, partialTail);
    }
  }

  /** Fills one block of the bounce buffer from the file, with zeros beyond the file's end. */
  private void readBlock(ByteBuffer bounce, long bounceOffset, long blockOffset)
      throws HostIoException {
    int from = (int) (blockOffset - bounceOffset);
    int to = from + alignment.blockBytes();
    int count = calls.pread(bounce.limit(to).position(from), blockOffset);
    for (int i = from + count; i < to; i++) {
      bounce.put(i, (byte) 0);
    }
  }

  /** Writes from the start of the buffer, which is whole blocks, up to its limit. */
  private void writeBlocks(ByteBuffer blocks, long hostOffset) throws HostIoException {
    int done = 0;
    while (done < blocks.limit()) {
      int count = calls.pwrite(blocks.position(done), hostOffset + done);
      done += checkProgress(alignment.blockStart(count));
    }
  }

  /**
   * How much of the buffer's next bytes can go straight: whole blocks, if memory and offset are
   * aligned. Little is not worth a call of its own where the rest has to be copied anyway.
   */
  private int straightBytes(ByteBuffer buffer, long offset) {
    if (!buffer.isDirect()
        || !alignment.isBlockAligned(offset)
        || !alignment.isMemoryAligned(Posix.address(buffer))) {
      return 0;
    }
    int remaining = buffer.remaining();
    int whole = (int) alignment.blockStart(remaining);
    return whole == remaining || whole >= STRAIGHT_BYTES_MIN ? whole : 0;
  }

  /**
   * How much to copy next: up to the first block border, where much can go straight from there;
   * else as much as fits.
   */
  private int bounceBytes(ByteBuffer buffer, long offset) {
    int inBlock = alignment.blockOffset(offset);
    int most = Math.min(buffer.remaining(), BOUNCE_BYTES - inBlock);
    int toBorder = alignment.blockBytes() - inBlock;
    boolean muchIsLeft = buffer.remaining() - toBorder >= STRAIGHT_BYTES_MIN;
    return inBlock > 0
            && muchIsLeft
            && buffer.isDirect()
            && alignment.isMemoryAligned(Posix.address(buffer) + toBorder)
        ? toBorder
        : most;
  }

  private static int checkProgress(long count) throws HostIoException {
    if (count <= 0) {
      throw new HostIoException(Posix.EIO, "write failed: the host takes no more bytes");
    }
    return (int) count;
  }

  @Override
  public boolean mustBeAlone(long hostEnd) throws HostIoException {
    return !alignment.isBlockAligned(hostEnd) && alignment.blockEnd(hostEnd) > calls.size();
  }

  @Override
  public void writeAlone(ByteBuffer[] sources, long hostOffset) throws HostIoException {
    long end = hostOffset + Gather.remaining(sources);
    if (!mustBeAlone(end)) {
      write(sources, hostOffset);
      return;
    }
    long border = Math.max(alignment.blockStart(end), hostOffset);
    write(Gather.take(sources, border - hostOffset), hostOffset);
    calls.setDirect(false);
    try {
      buffered.write(sources, border);
    } finally {
      calls.setDirect(true);
    }
  }

  @Override
  public void enterRange(long hostOffset, long bytes) {
    stripes.lock(hostOffset, hostOffset + bytes, false, false);
  }

  @Override
  public void leaveRange(long hostOffset, long bytes) {
    stripes.unlock(hostOffset, hostOffset + bytes, false, false);
  }
}
