package org.qcowfs.testkit.hostile;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;

/**
 * A small valid image in which one to three fields were changed, or which was cut short. Wholly
 * given by its seed.
 *
 * @param changes what was done to it, in words
 */
public record HostileImage(long seed, TestImage image, String changes) {
  private static final long[] NUMBERS = {
    0,
    1,
    2,
    3,
    7,
    8,
    9,
    21,
    63,
    64,
    0x100,
    0x1ff,
    0x200,
    0x1000,
    0x10000,
    0x10_0000,
    0xffff,
    0x7fff,
    0x8000,
    1 << 24,
    1 << 28,
    0x3fff_ffff,
    0x7fff_fffe,
    0x7fff_ffff,
    0x8000_0000L,
    0x8000_0001L,
    0xffff_fffeL,
    0xffff_ffffL,
    0x1_0000_0000L,
    1L << 40,
    1L << 55,
    1L << 56,
    (1L << 56) | 512,
    1L << 61,
    1L << 62,
    1L << 63,
    Long.MAX_VALUE / 2,
    Long.MAX_VALUE - 1,
    Long.MAX_VALUE,
    -2,
    -1,
    -512,
    -65536,
    (1L << 63) | 0x10001
  };

  /** Types of extensions that somebody knows; LUKS is one of them. */
  private static final int[] EXTENSIONS = {
    0,
    ImageBuilder.EXTENSION_BACKING_FORMAT,
    ImageBuilder.EXTENSION_FEATURE_NAMES,
    ImageBuilder.EXTENSION_BITMAPS,
    ImageBuilder.EXTENSION_DATA_FILE,
    0x0537be77,
    ValidImage.EXTENSION_LEAK_RANGE,
    0x71636c62
  };

  /** The image of the seed. */
  public static HostileImage of(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    TestImage image = ValidImage.of(random);
    Map<String, List<Field>> structures = ImageFields.of(image);
    List<List<Field>> choices = List.copyOf(structures.values());
    StringBuilder changes = new StringBuilder();
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      List<Field> structure = choices.get(random.nextInt(choices.size()));
      Field field = structure.get(random.nextInt(structure.size()));
      long value = value(random, image, structures, field);
      field.put(image.bytes(), value);
      changes.append("%s (at 0x%x) := 0x%x; ".formatted(field.name(), field.offset(), value));
    }
    if (random.nextInt(12) == 0) {
      long size = random.nextLong(image.bytes().size());
      image.bytes().resize(size);
      changes.append("cut at 0x%x".formatted(size));
    }
    return new HostileImage(seed, image, changes.toString().strip());
  }

  /**
   * Makes the image a file, and those that it names beside it.
   *
   * @return the file
   */
  public Path writeTo(Path file) throws IOException {
    return ReferredFiles.write(image, file);
  }

  private static long value(
      SplittableRandom random, TestImage image, Map<String, List<Field>> structures, Field field) {
    long old = field.get(image.bytes());
    if (field.name().equals("extension type") && random.nextBoolean()) {
      return EXTENSIONS[random.nextInt(EXTENSIONS.length)];
    }
    return switch (random.nextInt(6)) {
      case 0 -> NUMBERS[random.nextInt(NUMBERS.length)];
      case 1 -> old ^ 1L << random.nextInt(field.bytes() * Byte.SIZE);
      case 2 -> old + random.nextInt(-2, 3) * (random.nextBoolean() ? 1L : 512L);
      case 3 -> random.nextLong() >>> random.nextInt(Long.SIZE);
      default -> aimed(random, image, structures, old);
    };
  }

  /** A pointer that keeps the old one's flags, but goes to a cluster of something else. */
  private static long aimed(
      SplittableRandom random, TestImage image, Map<String, List<Field>> structures, long old) {
    SparseBytes file = image.bytes();
    long cluster = 1L << image.clusterBits();
    List<List<Field>> choices = List.copyOf(structures.values());
    List<Field> other = choices.get(random.nextInt(choices.size()));
    long target =
        switch (random.nextInt(4)) {
          case 0 -> other.get(0).offset();
          case 1 -> random.nextLong(Math.max(1, file.size()));
          case 2 -> file.size() - cluster + random.nextInt(4) * cluster;
          default -> file.size() + (1L << random.nextInt(40));
        };
    long aligned = random.nextInt(8) == 0 ? target : target & -cluster;
    return aligned | (old & (3L << 62));
  }
}
