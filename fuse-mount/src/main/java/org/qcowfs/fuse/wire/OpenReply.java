package org.qcowfs.fuse.wire;

import com.kenai.jffi.MemoryIO;

/**
 * The answer to an open: {@code struct fuse_open_out}, 16 bytes.
 *
 * <pre>
 * offset  0  u64  open file
 * offset  8  u32  FOPEN_ flags
 * offset 12  u32  padding
 * </pre>
 */
public final class OpenReply {
  private static final MemoryIO MEMORY = MemoryIO.getInstance();
  private static final int OFFSET_FLAGS = 8;
  private static final int PARALLEL_DIRECT_WRITES = 1 << 6;

  private OpenReply() {}

  /** Lets writes of that open file run side by side, where they go past the cache. */
  public static void allowParallelWrites(long address) {
    long flags = address + OFFSET_FLAGS;
    MEMORY.putInt(flags, MEMORY.getInt(flags) | PARALLEL_DIRECT_WRITES);
  }
}
