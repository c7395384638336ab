package org.qcowfs.storage;

import java.nio.ByteBuffer;
import org.qcowfs.error.HostIoException;

/**
 * Moves bytes by way of the host's page cache, at any offset and length. Bytes on the heap are
 * copied through a chunk of memory that belongs to the thread.
 */
final class BufferedTransfer implements Transfer {
  private static final int CHUNK_BYTES = 64 << 10;
  private static final DirectBuffers CHUNKS = new DirectBuffers();

  private final FileCalls calls;

  BufferedTransfer(FileCalls calls) {
    this.calls = calls;
  }

  @Override
  public int read(ByteBuffer destination, long hostOffset) throws HostIoException {
    return destination.isDirect()
        ? readDirect(destination, hostOffset)
        : readThroughChunk(destination, hostOffset);
  }

  private int readDirect(ByteBuffer direct, long hostOffset) throws HostIoException {
    int total = 0;
    while (direct.hasRemaining()) {
      int count = calls.pread(direct, hostOffset + total);
      if (count == 0) {
        break;
      }
      total += count;
    }
    return total;
  }

  private int readThroughChunk(ByteBuffer destination, long hostOffset) throws HostIoException {
    ByteBuffer chunk = CHUNKS.get(CHUNK_BYTES);
    int total = 0;
    while (destination.hasRemaining()) {
      chunk.clear().limit(Math.min(CHUNK_BYTES, destination.remaining()));
      int count = calls.pread(chunk, hostOffset + total);
      if (count == 0) {
        break;
      }
      destination.put(chunk.flip());
      total += count;
    }
    return total;
  }

  @Override
  public void write(ByteBuffer source, long hostOffset) throws HostIoException {
    if (source.isDirect()) {
      writeDirect(source, hostOffset);
    } else {
      writeThroughChunk(source, hostOffset);
    }
  }

  private void writeDirect(ByteBuffer direct, long hostOffset) throws HostIoException {
    long offset = hostOffset;
    while (direct.hasRemaining()) {
      offset += progress(calls.pwrite(direct, offset));
    }
  }

  private void writeThroughChunk(ByteBuffer source, long hostOffset) throws HostIoException {
    ByteBuffer chunk = CHUNKS.get(CHUNK_BYTES);
    long offset = hostOffset;
    while (source.hasRemaining()) {
      int bytes = Math.min(CHUNK_BYTES, source.remaining());
      chunk.clear().put(0, source, source.position(), bytes).limit(bytes);
      source.position(source.position() + bytes);
      writeDirect(chunk, offset);
      offset += bytes;
    }
  }

  @Override
  public void write(ByteBuffer[] sources, long hostOffset) throws HostIoException {
    if (areAllDirect(sources)) {
      writeGathered(sources, hostOffset);
      return;
    }
    long offset = hostOffset;
    for (ByteBuffer source : sources) {
      int bytes = source.remaining();
      write(source, offset);
      offset += bytes;
    }
  }

  private void writeGathered(ByteBuffer[] direct, long hostOffset) throws HostIoException {
    long offset = hostOffset;
    for (int first = 0; first < direct.length; ) {
      if (direct[first].hasRemaining()) {
        offset += progress(calls.pwritev(direct, first, offset));
      } else {
        first++;
      }
    }
  }

  private static boolean areAllDirect(ByteBuffer[] buffers) {
    for (ByteBuffer buffer : buffers) {
      if (!buffer.isDirect()) {
        return false;
      }
    }
    return true;
  }

  /** A host that takes nothing and gives no reason would keep us here for good. */
  private static long progress(long count) throws HostIoException {
    if (count <= 0) {
      throw new HostIoException(Posix.EIO, "write failed: the host takes no more bytes");
    }
    return count;
  }

  @Override
  public boolean mustBeAlone(long hostEnd) {
    return false;
  }

  @Override
  public void writeAlone(ByteBuffer[] sources, long hostOffset) throws HostIoException {
    write(sources, hostOffset);
  }

  @Override
  public void enterRange(long hostOffset, long bytes) {
    // the kernel orders changes of the same bytes
  }

  @Override
  public void leaveRange(long hostOffset, long bytes) {
    // nothing was entered
  }
}
