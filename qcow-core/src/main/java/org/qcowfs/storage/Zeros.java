package org.qcowfs.storage;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** Zeros to be written, for a host that has no quicker way. */
final class Zeros {
  /** The most that {@link #buffers} yields at once. */
  static final int BYTES_MAX = 1 << 20;

  private static final int PAGE_BYTES = 4096;
  private static final int BLOCK_BYTES = 64 << 10;
  private static final ByteBuffer BLOCK =
      ByteBuffer.allocateDirect(BLOCK_BYTES + PAGE_BYTES).alignedSlice(PAGE_BYTES);

  private Zeros() {}

  /** Read-only buffers that hold the given number of zeros, each at the start of a page. */
  static ByteBuffer[] buffers(int bytes) {
    ByteBuffer[] buffers = new ByteBuffer[(bytes + BLOCK_BYTES - 1) / BLOCK_BYTES];
    Arrays.setAll(
        buffers,
        i -> BLOCK.asReadOnlyBuffer().limit(Math.min(BLOCK_BYTES, bytes - i * BLOCK_BYTES)));
    return buffers;
  }
}
