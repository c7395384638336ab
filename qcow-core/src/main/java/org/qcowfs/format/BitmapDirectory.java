package org.qcowfs.format;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.geometry.ClusterGeometry;

/**
 * Where the bitmap directory lies (section "Bitmaps extension"), and the decoding of its entries
 * (section "Bitmap directory").
 *
 * @param count entries of the directory
 * @param bytes its length
 * @param hostOffset where it starts
 */
public record BitmapDirectory(int count, int bytes, long hostOffset) {
  private static final int EXTENSION_BYTES = 24;
  private static final int ENTRY_HEAD_BYTES = 24;

  /** Without extra data, which is not supported: the head, the longest name and its padding. */
  private static final int ENTRY_BYTES_MOST = ENTRY_HEAD_BYTES + Limits.BITMAP_NAME_BYTES + 1;

  private static final int TYPE_DIRTY_TRACKING = 1;

  private static final int FLAG_IN_USE = 1;
  private static final int FLAG_AUTO = 2;
  private static final int FLAGS_KNOWN = 7;

  /**
   * An entry of the directory.
   *
   * @param tableOffset host offset of the bitmap table
   * @param tableEntries its length
   * @param granularityBits log2 of the guest bytes that a bit stands for
   */
  public record Entry(
      String name, long tableOffset, long tableEntries, int flags, int granularityBits) {
    /** The bitmap was not saved correctly. */
    public boolean inUse() {
      return (flags & FLAG_IN_USE) != 0;
    }

    /** The bitmap must follow every change of the disk. */
    public boolean auto() {
      return (flags & FLAG_AUTO) != 0;
    }
  }

  /** Decodes and checks the extension that points to the directory. */
  public static BitmapDirectory decode(
      HeaderExtensions.Extension extension, ClusterGeometry geometry) throws CorruptImageException {
    ByteBuffer in = extension.data().duplicate().order(ByteOrder.BIG_ENDIAN);
    long at = extension.hostOffset();
    check(in.remaining() == EXTENSION_BYTES, at, "length is %d, not 24", in.remaining());
    long count = in.getInt(0) & 0xffff_ffffL;
    check(count >= 1 && count <= Limits.BITMAPS, at, "nb_bitmaps is %d, not in 1..65535", count);
    check(in.getInt(4) == 0, at, "reserved field is 0x%x, not 0", in.getInt(4));
    long bytes = in.getLong(8);
    check(
        bytes >= count * ENTRY_HEAD_BYTES
            && bytes <= Math.min(Limits.BITMAP_DIRECTORY_BYTES, count * ENTRY_BYTES_MOST),
        at,
        "bitmap_directory_size is %s, not possible for %d bitmaps",
        Long.toUnsignedString(bytes),
        count);
    long hostOffset = in.getLong(16);
    check(
        hostOffset > 0 && hostOffset <= Limits.HOST_OFFSET && geometry.isClusterAligned(hostOffset),
        at,
        "bitmap_directory_offset is 0x%x, not a host offset aligned to a cluster",
        hostOffset);
    return new BitmapDirectory((int) count, (int) bytes, hostOffset);
  }

  /**
   * Decodes and checks the entries.
   *
   * @param directory {@link #bytes} bytes; unchanged
   */
  public List<Entry> decodeEntries(ByteBuffer directory) throws CorruptImageException {
    ByteBuffer in = directory.slice().order(ByteOrder.BIG_ENDIAN);
    List<Entry> entries = new ArrayList<>();
    int offset = 0;
    while (offset < in.limit()) {
      long at = hostOffset + offset;
      check(entries.size() < count, at, "more entries than nb_bitmaps (%d)", count);
      check(in.limit() - offset >= ENTRY_HEAD_BYTES, at, "entry ends past the directory");
      int nameBytes = in.getShort(offset + 18) & 0xffff;
      long extraBytes = in.getInt(offset + 20) & 0xffff_ffffL;
      long entryBytes = ENTRY_HEAD_BYTES + extraBytes + nameBytes + 7 & -8L;
      check(
          entryBytes <= in.limit() - offset,
          at,
          "entry of %d bytes ends past the directory",
          entryBytes);
      entries.add(decodeEntry(in.slice(offset, (int) entryBytes).order(ByteOrder.BIG_ENDIAN), at));
      offset += (int) entryBytes;
    }
    check(
        entries.size() == count,
        hostOffset,
        "%d entries, but nb_bitmaps is %d",
        entries.size(),
        count);
    return entries;
  }

  private static Entry decodeEntry(ByteBuffer in, long at) throws CorruptImageException {
    int flags = in.getInt(12);
    int type = in.get(16) & 0xff;
    int granularityBits = in.get(17) & 0xff;
    int nameBytes = in.getShort(18) & 0xffff;
    int extraBytes = in.getInt(20);
    check((flags & ~FLAGS_KNOWN) == 0, at, "flags are 0x%x, reserved bits are set", flags);
    check(type == TYPE_DIRTY_TRACKING, at, "type is %d, not 1", type);
    check(
        granularityBits >= Limits.BITMAP_GRANULARITY_BITS_MIN
            && granularityBits <= Limits.BITMAP_GRANULARITY_BITS_MAX,
        at,
        "granularity_bits is %d, not in 9..31",
        granularityBits);
    check(
        nameBytes >= 1 && nameBytes <= Limits.BITMAP_NAME_BYTES,
        at,
        "name_size is %d, not in 1..1023",
        nameBytes);
    check(extraBytes == 0, at, "extra_data_size is %d, extra data is not supported", extraBytes);
    long tableOffset = in.getLong(0);
    long tableEntries = in.getInt(8) & 0xffff_ffffL;
    check(
        tableOffset > 0 && tableOffset <= Limits.HOST_OFFSET && tableOffset % 512 == 0,
        at,
        "bitmap_table_offset is 0x%x, not an aligned host offset",
        tableOffset);
    check(
        tableEntries <= Limits.BITMAP_TABLE_ENTRIES,
        at,
        "bitmap_table_size is %d entries, more than the limit",
        tableEntries);
    String name = StandardCharsets.UTF_8.decode(in.slice(ENTRY_HEAD_BYTES, nameBytes)).toString();
    return new Entry(name, tableOffset, tableEntries, flags, granularityBits);
  }

  @FormatMethod
  private static void check(
      boolean holds, long hostOffset, @FormatString String detail, Object... values)
      throws CorruptImageException {
    if (!holds) {
      throw new CorruptImageException(
          "Bitmap directory", hostOffset, String.format(Locale.ROOT, detail, values));
    }
  }
}
