package org.qcowfs.it.matrix;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.qcowfs.it.kit.Seed;

/**
 * A shape of image, written under a cache mode.
 *
 * @param variant the shape
 * @param mode the cache mode
 */
record WriteTrial(ImageVariant variant, String mode) {
  static final List<String> MODES =
      List.of("writeback", "none", "writethrough", "directsync", "unsafe", "volatile");

  /** Each pair of property values, the mode being one, at least once. */
  static List<WriteTrial> pairCover() {
    return PairCover.choose(
        withEachMode(ImageVariant.allLegal().stream()),
        WriteTrial::values,
        1,
        Seed.random("variants to write"));
  }

  /** Each variant that is read by the tests too, with each mode. */
  static List<WriteTrial> full() {
    return withEachMode(ImageMatrixTest.variants().stream());
  }

  private static List<WriteTrial> withEachMode(Stream<ImageVariant> variants) {
    return variants
        .filter(WriteTrial::isWritable)
        .flatMap(variant -> MODES.stream().map(mode -> new WriteTrial(variant, mode)))
        .toList();
  }

  /** Bitmaps are not given up in an image with snapshots. */
  static boolean isWritable(ImageVariant variant) {
    return !(variant.bitmap() && variant.history());
  }

  private List<Object> values() {
    List<Object> values = new ArrayList<>(variant.values());
    values.add(mode);
    return values;
  }

  @Override
  public String toString() {
    return variant + " cache=" + mode;
  }
}
