package org.qcowfs.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.qcowfs.geometry.ClusterGeometry;

/**
 * An entry of the snapshot table (section "Snapshots").
 *
 * @param l1TableOffset host offset of the snapshot's L1 table
 * @param l1Entries entries of it, as stored: 0 to 2^32-1
 * @param id unique ID
 * @param dateSeconds since the Epoch
 * @param vmClockNanos how long the guest had run
 * @param vmStateBytes size of the saved VM state
 * @param diskBytes virtual size at that time; empty where the entry does not say
 * @param icount replay instruction count, -1 where there is none
 * @param extraBytes length of the extra data, as stored: 0 to 2^32-1
 */
public record SnapshotEntry(
    long l1TableOffset,
    long l1Entries,
    String id,
    String name,
    long dateSeconds,
    long dateNanos,
    long vmClockNanos,
    long vmStateBytes,
    Optional<Long> diskBytes,
    long icount,
    long extraBytes) {
  /** The part of an entry that has a fixed length and tells how long the rest is. */
  public static final int HEAD_BYTES = 40;

  private static final int VM_STATE_FIELD_END = 8;
  private static final int DISK_SIZE_FIELD_END = 16;
  private static final int ICOUNT_FIELD_END = 24;

  /**
   * Length of the entry, padding included.
   *
   * @param head {@link #HEAD_BYTES} bytes; unchanged
   */
  public static long entryBytes(ByteBuffer head) {
    return unpaddedBytes(head) + 7 & -8L;
  }

  /** Length of the entry without the padding, which the last one of a file may lack. */
  public static long unpaddedBytes(ByteBuffer head) {
    return HEAD_BYTES + extraBytes(head) + idAndNameBytes(head);
  }

  /** Host offset of the snapshot's L1 table, as stored. */
  public static long l1TableOffset(ByteBuffer head) {
    long stored = head.getLong(head.position());
    return head.order() == ByteOrder.BIG_ENDIAN ? stored : Long.reverseBytes(stored);
  }

  /** Entries of the snapshot's L1 table, as stored: 0 to 2^32-1. */
  public static long l1Entries(ByteBuffer head) {
    return wordOf(head, 8) & 0xffff_ffffL;
  }

  /** How much of its end the entry needs for ID and name: at most 128 KiB. */
  public static int idAndNameBytes(ByteBuffer head) {
    int lengths = wordOf(head, 12);
    return (lengths >>> 16) + (lengths & 0xffff);
  }

  /** How much extra data {@link #decode} takes: no more than the limit, whatever the entry says. */
  public static int keptExtraBytes(ByteBuffer head) {
    return (int) Math.min(extraBytes(head), Limits.SNAPSHOT_EXTRA_BYTES);
  }

  /** Length of the extra data, as stored: 0 to 2^32-1. */
  public static long extraBytes(ByteBuffer head) {
    return wordOf(head, 36) & 0xffff_ffffL;
  }

  /** A part of the head, with no object made for it: a table may hold tens of thousands. */
  private static int wordOf(ByteBuffer head, int offset) {
    int stored = head.getInt(head.position() + offset);
    return head.order() == ByteOrder.BIG_ENDIAN ? stored : Integer.reverseBytes(stored);
  }

  /**
   * Decodes an entry. What it says is checked by {@link #problem}.
   *
   * @param entry head, {@link #keptExtraBytes} of extra data, ID and name; unchanged
   */
  public static SnapshotEntry decode(ByteBuffer entry) {
    ByteBuffer in = entry.slice().order(ByteOrder.BIG_ENDIAN);
    long extraBytes = unsignedInt(in, 36);
    int idOffset = HEAD_BYTES + keptExtraBytes(in);
    int idBytes = unsignedShort(in, 12);
    return new SnapshotEntry(
        in.getLong(0),
        unsignedInt(in, 8),
        text(in, idOffset, idBytes),
        text(in, idOffset + idBytes, unsignedShort(in, 14)),
        unsignedInt(in, 16),
        unsignedInt(in, 20),
        in.getLong(24),
        extraBytes >= VM_STATE_FIELD_END ? in.getLong(HEAD_BYTES) : unsignedInt(in, 32),
        extraBytes >= DISK_SIZE_FIELD_END
            ? Optional.of(in.getLong(HEAD_BYTES + 8))
            : Optional.empty(),
        extraBytes >= ICOUNT_FIELD_END ? in.getLong(HEAD_BYTES + 16) : -1,
        extraBytes);
  }

  /**
   * Why the snapshot cannot be read, if it cannot.
   *
   * @param fileBytes size of the image file
   */
  public Optional<String> problem(ClusterGeometry geometry, long fileBytes) {
    if (extraBytes > Limits.SNAPSHOT_EXTRA_BYTES) {
      return Optional.of(
          "%d bytes of extra data, more than the limit of 1024".formatted(extraBytes));
    }
    if (!geometry.isClusterAligned(l1TableOffset)) {
      return Optional.of(
          "L1 table offset 0x%x is not aligned to a cluster".formatted(l1TableOffset));
    }
    long l1Bytes = l1Entries * Long.BYTES;
    if (l1Bytes > Limits.L1_TABLE_BYTES) {
      return Optional.of(
          "L1 table has %d entries, more than the limit of 4194304".formatted(l1Entries));
    }
    if (l1TableOffset < 0 || l1TableOffset > fileBytes - l1Bytes) {
      return Optional.of(
          "L1 table at host offset 0x%x with %d entries lies past the end of the file"
              .formatted(l1TableOffset, l1Entries));
    }
    if (diskBytes.isPresent() && diskBytes.get() < 0) {
      return Optional.of(
          "disk size is %s bytes, more than 2^63"
              .formatted(Long.toUnsignedString(diskBytes.get())));
    }
    return Optional.empty();
  }

  private static String text(ByteBuffer in, int offset, int bytes) {
    return bytes == 0 ? "" : StandardCharsets.UTF_8.decode(in.slice(offset, bytes)).toString();
  }

  private static long unsignedInt(ByteBuffer in, int offset) {
    return in.getInt(offset) & 0xffff_ffffL;
  }

  private static int unsignedShort(ByteBuffer in, int offset) {
    return in.getShort(offset) & 0xffff;
  }
}
