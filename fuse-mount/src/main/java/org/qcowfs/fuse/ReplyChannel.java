package org.qcowfs.fuse;

import com.kenai.jffi.MemoryIO;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import org.qcowfs.errno.Errno;

/**
 * The channel that libfuse sends its answers to when it has not received the requests itself. Each
 * answer is sent within the thread that has received the request.
 */
final class ReplyChannel implements LibFuse2.Send {
  private static final MemoryIO MEMORY = MemoryIO.getInstance();
  private static final int OFFSET_SEND = 8;
  private static final int OPERATIONS_BYTES = 24;

  private final LibFuse2 library;
  private final LastWords lastWords = new LastWords();
  private final long address;

  /** A reference to this object must be kept until {@link #close}: native code calls it. */
  ReplyChannel(LibFuse2 library, int fd) {
    this.library = library;
    Pointer send =
        Runtime.getSystemRuntime().getClosureManager().getClosurePointer(LibFuse2.Send.class, this);
    long operations = MEMORY.allocateMemory(OPERATIONS_BYTES, true);
    MEMORY.putAddress(operations + OFFSET_SEND, send.address());
    this.address = library.newChannel(operations, fd, DirectRequests.CHANNEL_BYTES);
    MEMORY.freeMemory(operations);
    if (address == 0) {
      throw new OutOfMemoryError("no memory for a FUSE channel");
    }
  }

  long address() {
    return address;
  }

  /** Nothing that is thrown reaches native code. */
  @Override
  public int send(long channel, long vectors, long count) {
    try {
      return ((DirectRequests) RequestLoop.current()).send(vectors, (int) count);
    } catch (Throwable e) {
      lastWords.say();
      return -Errno.EIO;
    }
  }

  /** To be called once no thread serves any more. */
  void close() {
    library.destroyChannel(address);
  }
}
