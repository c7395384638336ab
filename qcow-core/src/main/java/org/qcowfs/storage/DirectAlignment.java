package org.qcowfs.storage;

/**
 * What O_DIRECT asks for, in bytes: memory that starts at a multiple of the one, offsets and
 * lengths that are multiples of the other. Both are powers of two.
 */
record DirectAlignment(int memoryBytes, int blockBytes) {
  /** Suits every disk: a page. */
  static final DirectAlignment PAGE = new DirectAlignment(4096, 4096);

  /** Larger blocks would not fit the stripes, and no host has them. */
  private static final int BLOCK_BYTES_MAX = 64 << 10;

  /** Whether the host gave us numbers to work with; 0 is how it says that there is no way. */
  boolean isUsable() {
    return isPowerOfTwo(memoryBytes) && isPowerOfTwo(blockBytes) && blockBytes <= BLOCK_BYTES_MAX;
  }

  private static boolean isPowerOfTwo(int bytes) {
    return Integer.bitCount(bytes) == 1 && bytes > 0;
  }

  boolean isBlockAligned(long hostOffset) {
    return (hostOffset & (blockBytes - 1)) == 0;
  }

  boolean isMemoryAligned(long address) {
    return (address & (memoryBytes - 1)) == 0;
  }

  /** How far into its block an offset lies. */
  int blockOffset(long hostOffset) {
    return (int) hostOffset & (blockBytes - 1);
  }

  /** Start of the block that holds the offset. */
  long blockStart(long hostOffset) {
    return hostOffset & -(long) blockBytes;
  }

  /** End of the last block that a range with the given end touches. */
  long blockEnd(long hostEnd) {
    return blockStart(hostEnd + blockBytes - 1);
  }
}
