package org.qcowfs.fuse;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.qcowfs.fuse.wire.FuseDevice;
import org.qcowfs.fuse.wire.PageRetrieval;

/** Finds out which bytes the kernel keeps of a file. Any number of threads. */
final class HeldBytes {
  private static final byte[] NONE = {};

  private final FuseDevice device;
  private final AtomicLong lastQuestion = new AtomicLong();
  private final Map<Long, CompletableFuture<byte[]>> open = new ConcurrentHashMap<>();
  private volatile boolean ended;

  HeldBytes(FuseDevice device) {
    this.device = device;
  }

  /**
   * The bytes kept from that offset on, as far as the kernel has them in one piece: none where it
   * does not have the first page. Pages that are just being read or written count with what is in
   * them. Waits for another thread to be handed the answer.
   */
  byte[] from(long node, long offset, int length) {
    long question = lastQuestion.incrementAndGet();
    CompletableFuture<byte[]> answer = new CompletableFuture<>();
    open.put(question, answer);
    try {
      // An error: the kernel does not know the file any more, and so keeps nothing of it.
      boolean asked = PageRetrieval.ask(device, question, node, offset, length) == 0;
      return asked && !ended ? answer.join() : NONE;
    } finally {
      open.remove(question);
    }
  }

  /** An answer has come. */
  void arrived(ByteBuffer request) {
    CompletableFuture<byte[]> answer = open.get(PageRetrieval.question(request));
    if (answer != null) {
      answer.complete(PageRetrieval.bytes(request));
    }
  }

  /** No answer can come any more. */
  void end() {
    ended = true;
    open.values().forEach(answer -> answer.complete(NONE));
  }
}
