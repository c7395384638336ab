package org.qcowfs.format;

/**
 * The second word of an extended L2 entry (section "Extended L2 Entries").
 *
 * <pre>
 *  0..31 subcluster x is allocated
 * 32..63 subcluster x - 32 reads as zeros
 * </pre>
 */
public final class SubclusterBitmap {
  /** Every subcluster is allocated. */
  public static final long ALL_ALLOCATED = 0xffff_ffffL;

  /** Every subcluster reads as zeros. */
  public static final long ALL_ZERO = 0xffff_ffffL << 32;

  private SubclusterBitmap() {}

  /** The bitmap after the subclusters from {@code first} to before {@code end} were written. */
  public static long withAllocated(long bitmap, int first, int end) {
    long written = ((1L << (end - first)) - 1) << first;
    return (bitmap | written) & ~(written << 32);
  }

  public static boolean isAllocated(long bitmap, int subcluster) {
    return (bitmap >>> subcluster & 1) != 0;
  }

  public static boolean isZero(long bitmap, int subcluster) {
    return (bitmap >>> (32 + subcluster) & 1) != 0;
  }

  /** No subcluster may be both allocated and zero. */
  public static boolean contradictsItself(long bitmap) {
    return (bitmap & bitmap >>> 32 & 0xffff_ffffL) != 0;
  }

  public static boolean allocatesAny(long bitmap) {
    return (bitmap & 0xffff_ffffL) != 0;
  }
}
