package org.qcowfs.it.malformed;

import static org.qcowfs.it.malformed.BaseImage.PLAIN;
import static org.qcowfs.it.malformed.BaseImage.SMALL_CLUSTERS;
import static org.qcowfs.it.malformed.MalformedImage.number;
import static org.qcowfs.it.malformed.MalformedImage.readAsUsual;
import static org.qcowfs.it.malformed.MalformedImage.refused;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.qcowfs.it.kit.ImageEditor;

/** Feature bits and the header extensions that go with them. */
final class FeatureCases {
  static final int FEATURE_NAME_TABLE = 0x6803f857;

  private static final long DIRTY = 1;
  private static final long CORRUPT = 1 << 1;
  private static final long DATA_FILE = 1 << 2;
  private static final long COMPRESSION_TYPE = 1 << 3;
  private static final long EXTENDED_L2 = 1 << 4;

  private static final int FEATURE_ENTRY_BYTES = 48;
  private static final int FEATURE_NAME_BYTES = 46;

  private FeatureCases() {}

  static List<MalformedImage> all() {
    return List.of(
        refused(
            "unknown incompatible bit without a name",
            PLAIN,
            incompatible(1L << 5),
            "feature",
            number(5)),
        refused(
            "unknown incompatible bit 63",
            PLAIN,
            incompatible(Long.MIN_VALUE),
            "feature",
            number(63)),
        refused(
            "unknown incompatible bit with a name", PLAIN, FeatureCases::nameBit9, "time travel"),
        refused(
            "compression bit without a type",
            PLAIN,
            incompatible(COMPRESSION_TYPE),
            "compression[_ ]type",
            number(0) + "|deflate|zlib"),
        refused(
            "compression type without its bit",
            PLAIN,
            e -> e.put8(ImageEditor.COMPRESSION_TYPE, 1),
            "compression[_ ]type",
            number(1) + "|zstd"),
        refused(
            "unknown compression type",
            PLAIN,
            FeatureCases::compressionType2,
            "compression[_ ]type",
            number(2)),
        refused("data-file bit without a name", PLAIN, incompatible(DATA_FILE), "data file"),
        refused(
            "subclusters smaller than a sector",
            SMALL_CLUSTERS,
            FeatureCases::tinySubclusters,
            "extended L2|subcluster",
            number(12) + "|" + number(4096)),
        refused(
            "header extension longer than the cluster",
            PLAIN,
            extensionLength(0x7fff_ffff),
            "extension",
            number(0x7fff_ffff)),
        refused(
            "header extension of 2^32-1 bytes",
            PLAIN,
            extensionLength(0xffff_ffffL),
            "extension",
            number(0xffff_ffffL)),
        readAsUsual("dirty bit", PLAIN, incompatible(DIRTY)),
        readAsUsual("corrupt bit", PLAIN, incompatible(CORRUPT)),
        readAsUsual(
            "unknown autoclear bit", PLAIN, e -> e.or64(ImageEditor.AUTOCLEAR_FEATURES, 1L << 40)));
  }

  private static Consumer<ImageEditor> incompatible(long bits) {
    return editor -> editor.or64(ImageEditor.INCOMPATIBLE_FEATURES, bits);
  }

  /**
   * With subclusters, an L2 table maps half as much, so that the L1 table must be twice as long.
   */
  private static void tinySubclusters(ImageEditor editor) {
    editor.or64(ImageEditor.INCOMPATIBLE_FEATURES, EXTENDED_L2);
    editor.put32(ImageEditor.L1_SIZE, 2 * editor.get32(ImageEditor.L1_SIZE));
  }

  private static void compressionType2(ImageEditor editor) {
    editor.or64(ImageEditor.INCOMPATIBLE_FEATURES, COMPRESSION_TYPE);
    editor.put8(ImageEditor.COMPRESSION_TYPE, 2);
  }

  /** Renames the first feature of the table: kind 0 (incompatible), bit 9. */
  private static void nameBit9(ImageEditor editor) {
    long entry = editor.extension(FEATURE_NAME_TABLE) + 8;
    byte[] name = "time travel".getBytes(StandardCharsets.US_ASCII);
    editor.put(entry, new byte[FEATURE_ENTRY_BYTES]);
    editor.put8(entry + 1, 9).put(entry + 2, Arrays.copyOf(name, FEATURE_NAME_BYTES));
    editor.or64(ImageEditor.INCOMPATIBLE_FEATURES, 1L << 9);
  }

  private static Consumer<ImageEditor> extensionLength(long length) {
    return editor -> editor.put32(editor.extension(FEATURE_NAME_TABLE) + 4, length);
  }
}
