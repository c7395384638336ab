package org.qcowfs.format;

/**
 * A range of the image file in which clusters may be counted that nothing refers to, because a
 * program that reserves clusters ahead was writing. Stored in a header extension of ours, which
 * other programs keep and ignore; it is a hint, never proof of a leak.
 *
 * <table>
 *   <caption>The one word of the extension</caption>
 *   <tr><td>bit 0 - 31</td><td>behind the last unit of 16 MiB; 0 where the range is empty</td></tr>
 *   <tr><td>bit 32 - 63</td><td>the first unit of 16 MiB</td></tr>
 * </table>
 *
 * @param first the first unit
 * @param end behind the last one; not above {@link #END_MAX}
 */
public record LeakRange(long first, long end) {
  /** Length of the extension's data. */
  public static final int BYTES = Long.BYTES;

  /** No range. */
  public static final LeakRange EMPTY = new LeakRange(0, 0);

  /** Units that a word can name. */
  public static final long END_MAX = 0xffff_ffffL;

  private static final int UNIT_BITS = 24;

  /** From the extension's word. */
  public static LeakRange decode(long word) {
    long first = word >>> Integer.SIZE;
    long end = word & END_MAX;
    return first < end ? new LeakRange(first, end) : EMPTY;
  }

  /** To the extension's word. */
  public long encode() {
    return first << Integer.SIZE | end;
  }

  /** The units that hold a range of bytes, which is not empty. */
  public static LeakRange of(long hostOffset, long bytes) {
    return new LeakRange(
        hostOffset >>> UNIT_BITS, Math.min(END_MAX, ((hostOffset + bytes - 1) >>> UNIT_BITS) + 1));
  }

  public boolean isEmpty() {
    return first >= end;
  }

  /** Whether the other range lies in this one. */
  public boolean contains(LeakRange other) {
    return other.first >= first && other.end <= end;
  }

  /** Host offset of the first byte. */
  public long startOffset() {
    return first << UNIT_BITS;
  }

  /** Host offset behind the last byte. */
  public long endOffset() {
    return end << UNIT_BITS;
  }
}
