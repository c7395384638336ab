package org.qcowfs.it.malformed;

import static org.qcowfs.it.malformed.BaseImage.BITMAP;
import static org.qcowfs.it.malformed.BaseImage.PLAIN;
import static org.qcowfs.it.malformed.MalformedImage.mountedWithoutPart;
import static org.qcowfs.it.malformed.MalformedImage.number;
import static org.qcowfs.it.malformed.MalformedImage.readAsUsual;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.qcowfs.it.kit.ImageEditor;

/** Persistent dirty bitmaps: QEMU refuses the whole image, here only the bitmaps are lost. */
final class BitmapCases {
  private static final int BITMAPS_EXTENSION = 0x23852875;
  private static final long PAST_THE_END = 0x4000_0000;

  // header extension, after type and length
  private static final int COUNT = 8;
  private static final int RESERVED = 12;
  private static final int DIRECTORY_SIZE = 16;
  private static final int DIRECTORY_OFFSET = 24;

  // directory entry
  private static final int TABLE_OFFSET = 0;
  private static final int TABLE_SIZE = 8;
  private static final int FLAGS = 12;
  private static final int TYPE = 16;
  private static final int GRANULARITY_BITS = 17;
  private static final int NAME_SIZE = 18;
  private static final int EXTRA_SIZE = 20;

  private BitmapCases() {}

  static List<MalformedImage> all() {
    return List.of(
        mountedWithoutPart(
            "bitmaps bit without bitmaps",
            PLAIN,
            e -> e.or64(ImageEditor.AUTOCLEAR_FEATURES, 1),
            "bitmap"),
        broken("bitmaps without their bit", e -> e.put64(ImageEditor.AUTOCLEAR_FEATURES, 0)),
        readAsUsual(
            "bitmap in use",
            BITMAP,
            e -> e.put32(directory(e) + FLAGS, e.get32(directory(e) + FLAGS) | 1)),
        readAsUsual(
            "bitmap table past the end",
            BITMAP,
            e -> e.put64(directory(e) + TABLE_OFFSET, PAST_THE_END)),
        readAsUsual(
            "bitmap data past the end and not aligned",
            BITMAP,
            e -> e.put64(e.get64(directory(e) + TABLE_OFFSET), PAST_THE_END + 0x200)),
        extension32("no bitmaps in the extension", COUNT, 0, number(0)),
        extension32("65536 bitmaps", COUNT, 65_536, number(65_536)),
        extension32("more bitmaps than entries", COUNT, 2),
        extension32("reserved field of the bitmaps extension", RESERVED, 7, number(7)),
        extension64("bitmap directory of 2^62 bytes", DIRECTORY_SIZE, 1L << 62, number(1L << 62)),
        extension64("bitmap directory of 0 bytes", DIRECTORY_SIZE, 0, number(0)),
        extension64("bitmap directory not aligned", DIRECTORY_OFFSET, 0x10200, number(0x10200)),
        extension64(
            "bitmap directory past the end", DIRECTORY_OFFSET, PAST_THE_END, number(PAST_THE_END)),
        broken(
            "bitmaps extension of 16 bytes",
            e -> e.put32(e.extension(BITMAPS_EXTENSION) + 4, 16),
            number(16)),
        entry(
            "bitmap table not aligned",
            (e, at) -> e.put64(at + TABLE_OFFSET, 0x10100),
            number(0x10100)),
        entry(
            "bitmap table of 2^31 entries",
            (e, at) -> e.put32(at + TABLE_SIZE, 1L << 31),
            number(1L << 31)),
        entry("reserved bitmap flag", (e, at) -> e.put32(at + FLAGS, 0x100), number(0x100)),
        entry("bitmap type 2", (e, at) -> e.put8(at + TYPE, 2), number(2)),
        entry(
            "bitmap granularity of 2^32", (e, at) -> e.put8(at + GRANULARITY_BITS, 32), number(32)),
        entry("bitmap granularity of 2^8", (e, at) -> e.put8(at + GRANULARITY_BITS, 8), number(8)),
        entry(
            "bitmap name of 65535 bytes",
            (e, at) -> e.put16(at + NAME_SIZE, 65_535),
            "past the directory"),
        entry("bitmap name of 0 bytes", (e, at) -> e.put16(at + NAME_SIZE, 0), number(0)),
        entry(
            "bitmap extra data of 2^32-1 bytes",
            (e, at) -> e.put32(at + EXTRA_SIZE, 0xffff_ffffL),
            "past the directory"));
  }

  /** A change of the first directory entry, which begins at {@code at}. */
  private interface EntryDamage {
    void apply(ImageEditor editor, long at);
  }

  private static MalformedImage entry(String name, EntryDamage damage, String... words) {
    return broken(name, e -> damage.apply(e, directory(e)), words);
  }

  private static long directory(ImageEditor editor) {
    return editor.get64(editor.extension(BITMAPS_EXTENSION) + DIRECTORY_OFFSET);
  }

  private static MalformedImage extension32(String name, int field, long value, String... words) {
    return broken(name, e -> e.put32(e.extension(BITMAPS_EXTENSION) + field, value), words);
  }

  private static MalformedImage extension64(String name, int field, long value, String... words) {
    return broken(name, e -> e.put64(e.extension(BITMAPS_EXTENSION) + field, value), words);
  }

  private static MalformedImage broken(String name, Consumer<ImageEditor> damage, String... words) {
    String[] all = Arrays.copyOf(words, words.length + 1);
    all[words.length] = "bitmap";
    return mountedWithoutPart(name, BITMAP, damage, all);
  }
}
