package org.qcowfs.fuse;

import com.kenai.jffi.MemoryIO;
import org.slf4j.LoggerFactory;

/**
 * One session thread: receives a request, has it processed, and so on until the unmount.
 *
 * <p>Session and channel are shared by all loops and only read; the buffer belongs to this one.
 */
final class RequestLoop implements Runnable {
  private static final MemoryIO MEMORY = MemoryIO.getInstance();
  private static final int POINTER_BYTES = 8;
  private static final int PAGE_BYTES = 4096;

  /** Headers of a WRITE request; a buffer that begins so much before a page has the data on one. */
  private static final int WRITE_HEADER_BYTES = 80;

  /** Where a request names the file that it is about. */
  private static final int OFFSET_NODE = 16;

  private static final int EINTR = 4;
  private static final int EAGAIN = 11;

  /** The address of the request that the current thread serves. */
  private static final ThreadLocal<Long> CURRENT = new ThreadLocal<>();

  private final LibFuse2 library;
  private final long session;
  private final long channel;
  private final Serving serving;
  private final Runnable atEnd;
  private final LastWords lastWords = new LastWords();

  RequestLoop(LibFuse2 library, long session, long channel, Serving serving, Runnable atEnd) {
    this.library = library;
    this.session = session;
    this.channel = channel;
    this.serving = serving;
    this.atEnd = atEnd;
  }

  /** The number by which the kernel knows the file that the current thread's request is about. */
  static long currentNode() {
    return MEMORY.getLong(CURRENT.get() + OFFSET_NODE);
  }

  @Override
  public void run() {
    long bufferBytes = library.fuse_chan_bufsize(channel);
    long memory = MEMORY.allocateMemory(bufferBytes + 2 * PAGE_BYTES + POINTER_BYTES, false);
    long buffer = (memory + PAGE_BYTES) / PAGE_BYTES * PAGE_BYTES + PAGE_BYTES - WRITE_HEADER_BYTES;
    CURRENT.set(buffer);
    try {
      serve(memory, buffer, bufferBytes);
    } catch (Throwable e) {
      LoggerFactory.getLogger(RequestLoop.class).error("a session thread failed", e);
    } finally {
      library.fuse_session_exit(session);
      MEMORY.freeMemory(memory);
      atEnd.run();
    }
  }

  private void tryToReport(Throwable e) {
    try {
      LoggerFactory.getLogger(RequestLoop.class).error("processing a request failed", e);
    } catch (Throwable inReporting) {
      lastWords.say();
    }
  }

  /** The channel that was received from is kept in the first bytes of the memory, for libfuse. */
  private void serve(long channelInOut, long buffer, long bufferBytes) {
    while (true) {
      MEMORY.putAddress(channelInOut, channel);
      int received = library.fuse_chan_recv(channelInOut, buffer, bufferBytes);
      if (received == -EINTR || received == -EAGAIN) {
        continue;
      }
      if (received < 0) {
        LoggerFactory.getLogger(RequestLoop.class)
            .error("receiving a request failed with error number {}", -received);
      }
      if (received <= 0) {
        return;
      }
      if (!serving.begin()) {
        return; // the process is about to end, and the kernel then answers for us
      }
      try {
        library.fuse_session_process(session, buffer, received, MEMORY.getAddress(channelInOut));
      } catch (Throwable e) {
        // The request has its answer. If this thread ended, libfuse would end the session, and each
        // of the others would drop the next request that it receives: its sender would wait for
        // good.
        tryToReport(e);
      } finally {
        serving.end();
      }
    }
  }
}
