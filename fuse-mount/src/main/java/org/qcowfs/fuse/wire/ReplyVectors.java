package org.qcowfs.fuse.wire;

import com.kenai.jffi.MemoryIO;

/**
 * An answer as libfuse hands it over: {@code struct iovec}s, the first of them an out-header, the
 * second the structure that follows it.
 *
 * <pre>
 * offset  0  address of the bytes
 * offset  8  u64  how many
 * </pre>
 */
public final class ReplyVectors {
  private static final MemoryIO MEMORY = MemoryIO.getInstance();
  private static final int VECTOR_BYTES = 16;
  private static final int OFFSET_ERROR = 4;

  private ReplyVectors() {}

  /** Whether the answer is a success with a structure. */
  public static boolean hasBody(long vectors, int count) {
    return count >= 2 && MEMORY.getInt(MEMORY.getAddress(vectors) + OFFSET_ERROR) == 0;
  }

  /** Address of the structure. */
  public static long body(long vectors) {
    return MEMORY.getAddress(vectors + VECTOR_BYTES);
  }

  /** Length of the structure. */
  public static int bodyBytes(long vectors) {
    return (int) MEMORY.getLong(vectors + VECTOR_BYTES + Long.BYTES);
  }
}
