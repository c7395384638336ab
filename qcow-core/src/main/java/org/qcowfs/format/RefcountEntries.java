package org.qcowfs.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Refcount table entries and the refcounts of a block (section "Host cluster management").
 * Refcounts narrower than a byte start at its least significant bit; wider ones are big-endian.
 */
public final class RefcountEntries {
  private static final long BLOCK_OFFSET_MASK = -1L << 9;

  private RefcountEntries() {}

  /** Host offset of a refcount block, from its refcount table entry; 0 where there is none. */
  public static long blockOffset(long tableEntry) {
    return tableEntry & BLOCK_OFFSET_MASK;
  }

  /** The reserved bits of a refcount table entry that are set. */
  public static long reservedBits(long tableEntry) {
    return tableEntry & ~BLOCK_OFFSET_MASK;
  }

  /**
   * The refcount at the index.
   *
   * @param block a refcount block, from its first byte; unchanged
   * @param refcountOrder log2 of the width in bits, 0 to 6
   * @return the refcount; one of 64 bits is returned as it is, unsigned
   */
  public static long get(ByteBuffer block, int refcountOrder, int index) {
    ByteBuffer in = block.order() == ByteOrder.BIG_ENDIAN ? block : block.duplicate();
    return switch (refcountOrder) {
      case 0, 1, 2 -> {
        int bits = 1 << refcountOrder;
        int bit = index << refcountOrder;
        yield in.get(bit >>> 3) >>> (bit & 7) & (1 << bits) - 1;
      }
      case 3 -> in.get(index) & 0xff;
      case 4 -> in.getShort(index * 2) & 0xffff;
      case 5 -> in.getInt(index * 4) & 0xffff_ffffL;
      case 6 -> in.getLong(index * 8);
      default -> throw new IllegalArgumentException("refcountOrder " + refcountOrder);
    };
  }

  /**
   * Sets the refcount at the index.
   *
   * @param block a refcount block in big-endian order
   * @param value one that fits the width
   */
  public static void put(ByteBuffer block, int refcountOrder, int index, long value) {
    switch (refcountOrder) {
      case 0, 1, 2 -> {
        int bit = index << refcountOrder;
        int mask = ((1 << (1 << refcountOrder)) - 1) << (bit & 7);
        int shifted = (int) value << (bit & 7);
        block.put(bit >>> 3, (byte) ((block.get(bit >>> 3) & ~mask) | shifted));
      }
      case 3 -> block.put(index, (byte) value);
      case 4 -> block.putShort(index * 2, (short) value);
      case 5 -> block.putInt(index * 4, (int) value);
      case 6 -> block.putLong(index * 8, value);
      default -> throw new IllegalArgumentException("refcountOrder " + refcountOrder);
    }
  }

  /** How many of the first entries are not zero. */
  public static int countUsed(ByteBuffer block, int refcountOrder, int entries) {
    int used = 0;
    for (int index = 0; index < entries; index++) {
      if (get(block, refcountOrder, index) != 0) {
        used++;
      }
    }
    return used;
  }
}
