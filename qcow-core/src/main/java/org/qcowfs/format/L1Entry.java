package org.qcowfs.format;

/**
 * An L1 table entry (section "Cluster mapping").
 *
 * <pre>
 *  0..8  reserved
 *  9..55 host offset of the L2 table; 0: everything it would describe is unallocated
 * 56..62 reserved
 *     63 COPIED: the refcount of the L2 table is exactly one
 * </pre>
 */
public final class L1Entry {
  private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;

  private static final long COPIED = 1L << 63;
  private static final long RESERVED = 0x7f00_0000_0000_01ffL;

  private L1Entry() {}

  /** The entry of an L2 table that this L1 table alone refers to. */
  public static long of(long l2TableOffset) {
    return l2TableOffset | COPIED;
  }

  /** The entry with the COPIED flag set or clear, and everything else as it is. */
  public static long withCopied(long entry, boolean copied) {
    return copied ? entry | COPIED : entry & ~COPIED;
  }

  public static boolean isCopied(long entry) {
    return (entry & COPIED) != 0;
  }

  /** Host offset of the L2 table, or 0 where there is none. */
  public static long l2TableOffset(long entry) {
    return entry & OFFSET_MASK;
  }

  /** The reserved bits that are set; readers ignore them. */
  public static long reservedBits(long entry) {
    return entry & RESERVED;
  }

  /** The entry with another L2 table, and everything else as it is. */
  public static long withL2Table(long entry, long l2TableOffset) {
    return (entry & ~OFFSET_MASK) | l2TableOffset;
  }
}
