package org.qcowfs.fuse;

import com.kenai.jffi.MemoryIO;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.qcowfs.fuse.wire.Opcode;
import org.qcowfs.fuse.wire.RequestHeader;

/** Requests that libfuse receives and has answered by the callbacks. */
final class LibfuseRequests implements RequestSource {
  private static final MemoryIO MEMORY = MemoryIO.getInstance();
  private static final int POINTER_BYTES = 8;
  private static final int PAGE_BYTES = 4096;

  /** Headers of a WRITE request; a buffer that begins so much before a page has the data on one. */
  private static final int WRITE_HEADER_BYTES = 80;

  private static final int EINTR = 4;
  private static final int EAGAIN = 11;

  private final LibFuse2 library;
  private final HeldBytes held;
  private final long session;
  private final long channel;
  private final long bufferBytes;

  /** Begins with the channel that was received from, for libfuse. */
  private final long memory;

  private final long buffer;
  private final ByteBuffer request;

  LibfuseRequests(LibFuse2 library, HeldBytes held, long session, long channel) {
    this.library = library;
    this.held = held;
    this.session = session;
    this.channel = channel;
    this.bufferBytes = library.channelBufferBytes(channel);
    this.memory = MEMORY.allocateMemory(bufferBytes + 2 * PAGE_BYTES + POINTER_BYTES, false);
    this.buffer = (memory + PAGE_BYTES) / PAGE_BYTES * PAGE_BYTES + PAGE_BYTES - WRITE_HEADER_BYTES;
    this.request =
        MEMORY.newDirectByteBuffer(buffer, (int) bufferBytes).order(ByteOrder.nativeOrder());
  }

  @Override
  public int receive() {
    while (true) {
      MEMORY.putAddress(memory, channel);
      int received = library.receive(memory, buffer, bufferBytes);
      if (received != -EINTR && received != -EAGAIN) {
        return received;
      }
    }
  }

  @Override
  public void process(int bytes) {
    if (RequestHeader.opcode(request) == Opcode.NOTIFY_REPLY) {
      held.arrived(request); // libfuse has not asked
    } else {
      library.process(session, buffer, bytes, MEMORY.getAddress(memory));
    }
  }

  @Override
  public long node() {
    return RequestHeader.node(request);
  }

  @Override
  public void close() {
    MEMORY.freeMemory(memory);
  }
}
