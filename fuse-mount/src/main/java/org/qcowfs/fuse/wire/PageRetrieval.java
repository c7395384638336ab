package org.qcowfs.fuse.wire;

import com.kenai.jffi.MemoryIO;
import java.nio.ByteBuffer;

/**
 * Asking the kernel for bytes that it keeps of a file: a notification, which it answers by a
 * request of its own. It looks at its pages without waiting for anybody, and ends before the first
 * page that it does not have.
 *
 * <pre>
 *                notification: struct fuse_out_header, then fuse_notify_retrieve_out
 * offset  0  u32 length of the whole: 48
 * offset  4  s32 FUSE_NOTIFY_RETRIEVE (5)
 * offset  8  u64 0
 * offset 16  u64 number of the question
 * offset 24  u64 number of the file
 * offset 32  u64 offset
 * offset 40  u32 how many bytes, then padding
 *
 *                request: struct fuse_in_header, then fuse_notify_retrieve_in
 * offset  8  u64 number of the question
 * offset 56  u32 how many bytes follow
 * offset 80      the bytes
 * </pre>
 */
public final class PageRetrieval {
  private static final MemoryIO MEMORY = MemoryIO.getInstance();
  private static final int NOTIFY_RETRIEVE = 5;
  private static final int BYTES = 48;
  private static final int VECTOR_BYTES = 16;
  private static final int OFFSET_SIZE = RequestHeader.BYTES + 16;
  private static final int OFFSET_DATA = RequestHeader.BYTES + 40;

  private PageRetrieval() {}

  /**
   * Asks.
   *
   * @param question a number that the answer repeats
   * @param length in bytes; no more than a request may have is answered
   * @return what {@link FuseDevice#send} does; there is no answer unless it is 0
   */
  public static int ask(FuseDevice device, long question, long node, long offset, int length) {
    long vector = MEMORY.allocateMemory(VECTOR_BYTES + BYTES, true);
    try {
      long notification = vector + VECTOR_BYTES;
      MEMORY.putAddress(vector, notification);
      MEMORY.putLong(vector + Long.BYTES, BYTES);
      MEMORY.putInt(notification, BYTES);
      MEMORY.putInt(notification + 4, NOTIFY_RETRIEVE);
      MEMORY.putLong(notification + 16, question);
      MEMORY.putLong(notification + 24, node);
      MEMORY.putLong(notification + 32, offset);
      MEMORY.putInt(notification + 40, length);
      return device.send(vector, 1);
    } finally {
      MEMORY.freeMemory(vector);
    }
  }

  /** Which question a request answers. */
  public static long question(ByteBuffer request) {
    return RequestHeader.unique(request);
  }

  /** A copy of the bytes that the request brings. */
  public static byte[] bytes(ByteBuffer request) {
    byte[] bytes = new byte[request.getInt(OFFSET_SIZE)];
    request.get(OFFSET_DATA, bytes);
    return bytes;
  }
}
