package org.qcowfs.format;

/**
 * The first word of an L2 table entry (section "Cluster mapping").
 *
 * <pre>
 *      0 all zeros (version 3, standard entries)
 *  9..55 host offset of a standard cluster; 0: unallocated
 *     62 compressed: bits 0..61 are a compressed cluster descriptor
 *     63 COPIED: the refcount of the cluster is exactly one
 * </pre>
 */
public final class L2Entry {
  private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;
  private static final long ZERO = 1L;
  private static final long COMPRESSED = 1L << 62;
  private static final long COPIED = 1L << 63;
  private static final long RESERVED = 0x3f00_0000_0000_01feL;
  private static final int SECTOR_BYTES = 512;

  /** The cluster is unallocated: it reads from the backing file. */
  public static final long UNALLOCATED = 0;

  /** The cluster reads as zeros and has no place in the host file. */
  public static final long ZERO_PLAIN = ZERO;

  private L2Entry() {}

  /** The entry of a standard cluster that this disk alone refers to. */
  public static long data(long hostOffset) {
    return hostOffset | COPIED;
  }

  /** The entry of a cluster that reads as zeros but keeps its place, for this disk alone. */
  public static long zeroPreallocated(long hostOffset) {
    return hostOffset | COPIED | ZERO;
  }

  /** The entry with the COPIED flag set or clear, and everything else as it is. */
  public static long withCopied(long entry, boolean copied) {
    return copied ? entry | COPIED : entry & ~COPIED;
  }

  public static boolean isCompressed(long entry) {
    return (entry & COMPRESSED) != 0;
  }

  public static boolean isCopied(long entry) {
    return (entry & COPIED) != 0;
  }

  /** The all-zeros flag of a standard cluster. */
  public static boolean isZero(long entry) {
    return (entry & ZERO) != 0;
  }

  /**
   * Whether the standard cluster of an entry lies directly behind that of another one, and both
   * have the same flags.
   */
  public static boolean follows(long entry, long before, long clusterBytes) {
    return entry == before + clusterBytes
        && ((entry ^ before) & ~OFFSET_MASK) == 0
        && !isCompressed(entry);
  }

  /** Host offset of a standard cluster, or 0 where it has none. */
  public static long hostOffset(long entry) {
    return entry & OFFSET_MASK;
  }

  /** Host offset of compressed data; aligned to nothing. */
  public static long compressedOffset(long entry, int clusterBits) {
    return entry & ((1L << compressedOffsetBits(clusterBits)) - 1);
  }

  /**
   * How many bytes the compressed data takes at most: up to the end of its last sector. Never more
   * than two clusters.
   */
  public static int compressedBytes(long entry, int clusterBits) {
    int sectors =
        (int) (entry >>> compressedOffsetBits(clusterBits)) & ((1 << (clusterBits - 8)) - 1);
    return (sectors + 1) * SECTOR_BYTES - (int) (entry & (SECTOR_BYTES - 1));
  }

  private static int compressedOffsetBits(int clusterBits) {
    return 62 - (clusterBits - 8);
  }

  /** The reserved bits of a standard entry that are set; readers ignore them. */
  public static long reservedBits(long entry) {
    return entry & RESERVED;
  }

  /** The entry of a standard cluster in another place, and everything else as it is. */
  public static long withHostOffset(long entry, long hostOffset) {
    return (entry & ~OFFSET_MASK) | hostOffset;
  }

  /** The entry of compressed data in another place, and everything else as it is. */
  public static long withCompressedOffset(long entry, int clusterBits, long hostOffset) {
    return (entry & (-1L << compressedOffsetBits(clusterBits))) | hostOffset;
  }

  /** The entry of compressed data that ends with the sector in which this many bytes end. */
  public static long withCompressedBytes(long entry, int clusterBits, long bytes) {
    int offsetBits = compressedOffsetBits(clusterBits);
    long sectors = (bytes + (entry & (SECTOR_BYTES - 1)) + SECTOR_BYTES - 1) / SECTOR_BYTES;
    long kept = entry & (COPIED | COMPRESSED | ((1L << offsetBits) - 1));
    return kept | (Math.max(0, sectors - 1) << offsetBits);
  }
}
