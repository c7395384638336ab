package org.qcowfs.fuse;

import com.kenai.jffi.MemoryIO;

/** Requests that libfuse receives and has answered by the callbacks. */
final class LibfuseRequests implements RequestSource {
  private static final MemoryIO MEMORY = MemoryIO.getInstance();
  private static final int POINTER_BYTES = 8;
  private static final int PAGE_BYTES = 4096;

  /** Headers of a WRITE request; a buffer that begins so much before a page has the data on one. */
  private static final int WRITE_HEADER_BYTES = 80;

  /** Where a request names the file that it is about. */
  private static final int OFFSET_NODE = 16;

  private static final int EINTR = 4;
  private static final int EAGAIN = 11;

  private final LibFuse2 library;
  private final long session;
  private final long channel;
  private final long bufferBytes;

  /** Begins with the channel that was received from, for libfuse. */
  private final long memory;

  private final long buffer;

  LibfuseRequests(LibFuse2 library, long session, long channel) {
    this.library = library;
    this.session = session;
    this.channel = channel;
    this.bufferBytes = library.fuse_chan_bufsize(channel);
    this.memory = MEMORY.allocateMemory(bufferBytes + 2 * PAGE_BYTES + POINTER_BYTES, false);
    this.buffer = (memory + PAGE_BYTES) / PAGE_BYTES * PAGE_BYTES + PAGE_BYTES - WRITE_HEADER_BYTES;
  }

  @Override
  public int receive() {
    while (true) {
      MEMORY.putAddress(memory, channel);
      int received = library.fuse_chan_recv(memory, buffer, bufferBytes);
      if (received != -EINTR && received != -EAGAIN) {
        return received;
      }
    }
  }

  @Override
  public void process(int bytes) {
    library.fuse_session_process(session, buffer, bytes, MEMORY.getAddress(memory));
  }

  @Override
  public long node() {
    return MEMORY.getLong(buffer + OFFSET_NODE);
  }

  @Override
  public void close() {
    MEMORY.freeMemory(memory);
  }
}
