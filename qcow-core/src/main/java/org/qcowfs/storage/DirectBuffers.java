package org.qcowfs.storage;

import java.nio.ByteBuffer;

/**
 * A direct buffer that a thread uses again and again, for what native code reads or fills. It
 * starts at a page of memory, as O_DIRECT wants it, and grows to the largest size asked for.
 *
 * <p>Invariant: between two calls of {@link #get} on the same instance by the same thread, the
 * buffer belongs to the caller.
 */
public final class DirectBuffers {
  private static final int PAGE_BYTES = 4096;

  private final ThreadLocal<ByteBuffer> buffers =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(0));

  /** A buffer with position 0 and the given limit; its contents are undefined. */
  public ByteBuffer get(int bytes) {
    ByteBuffer buffer = buffers.get();
    if (buffer.capacity() < bytes) {
      buffer = ByteBuffer.allocateDirect(bytes + 2 * PAGE_BYTES).alignedSlice(PAGE_BYTES);
      buffers.set(buffer);
    }
    return buffer.clear().limit(bytes);
  }
}
