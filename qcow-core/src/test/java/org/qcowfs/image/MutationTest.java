package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.testkit.BitmapSpec;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.OpenFiles;
import org.qcowfs.testkit.SnapshotSpec;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;

/**
 * Images broken at random. Whatever they say, the engine answers with bytes or with an {@code
 * IOException}, in bounded time, and leaves no file open. {@code -Dqcowfs.seed=N} repeats a run.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class MutationTest {
  private static final long SEED = Long.getLong("qcowfs.seed", 20_261_120L);
  private static final int ROUNDS = 300;

  private static final long[] VALUES = {
    0,
    1,
    2,
    3,
    7,
    0x100,
    0x1ff,
    0x200,
    0x1000,
    0x10000,
    0xffff,
    0x7fff,
    0x8000,
    0x7fff_ffff,
    0x8000_0000L,
    0xffff_ffffL,
    0x1_0000_0000L,
    1L << 55,
    1L << 56,
    (1L << 56) | 512,
    1L << 61,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -1,
    -512,
    -65536,
    (1L << 63) | 0x10001
  };

  @TempDir private Path directory;

  private final SplittableRandom random = new SplittableRandom(SEED);

  private ImageBuilder builder() {
    boolean extendedL2 = random.nextInt(3) == 0;
    int clusterBits = extendedL2 ? 14 : random.nextInt(9, 13);
    ImageBuilder builder =
        new ImageBuilder(random.nextInt(4) == 0 && !extendedL2 ? 2 : 3, clusterBits)
            .virtualSize(20L << clusterBits)
            .refcountOrder(random.nextInt(7));
    if (extendedL2) {
      builder.extendedL2();
    }
    builder.extension(0x1234, new byte[8]).featureName(0, 0, "dirty bit");
    builder.bitmap(new BitmapSpec("day1", 16, 2));
    byte[] noise = new byte[1 << clusterBits];
    random.nextBytes(noise);
    builder.disk().data(0, noise).data(1, noise).compressed(2, noise).data(19, noise);
    builder.snapshot(SnapshotSpec.of("1", "one", 9L << clusterBits)).data(0, noise);
    builder.snapshot(new SnapshotSpec("2", "two", 9L << clusterBits, 16)).compressed(3, noise);
    return builder;
  }

  @Test
  void aBrokenImageGivesBytesOrAnIoException() throws IOException {
    int opened = 0;
    for (int round = 0; round < ROUNDS; round++) {
      TestImage image = builder().build();
      String mutation = mutate(image);
      Path file = image.writeTo(directory.resolve("broken.qcow2"));
      try {
        opened += use(file) ? 1 : 0;
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed %d, round %d: %s".formatted(SEED, round, mutation), e);
      }
      assertThat(OpenFiles.countIn(directory)).as("round %d: %s", round, mutation).isZero();
    }
    assertThat(opened).as("images that could be opened").isBetween(ROUNDS / 4, ROUNDS * 9 / 10);
  }

  /** Breaks one to three places, most of them where metadata lies. */
  private String mutate(TestImage image) {
    StringBuilder done = new StringBuilder();
    long l2Table = image.l2EntryOffset(0);
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      long offset = place(image, l2Table);
      long value = value(image.bytes());
      if (random.nextInt(3) == 0) {
        image.bytes().putInt(offset, (int) value);
      } else if (random.nextInt(3) == 0) {
        image.bytes().putByte(offset, (int) value);
      } else {
        image.bytes().putLong(offset, value);
      }
      done.append("0x%x := 0x%x; ".formatted(offset, value));
    }
    if (random.nextInt(10) == 0) {
      long size = random.nextLong(image.bytes().size());
      image.bytes().resize(size);
      done.append("cut at 0x%x".formatted(size));
    }
    return done.toString();
  }

  private long place(TestImage image, long l2Table) {
    return switch (random.nextInt(7)) {
      case 0 -> random.nextInt(26) * 4L + 4;
      case 1 -> random.nextInt(100) * 4L;
      case 2 -> image.l1TableOffset() + random.nextInt(4) * 8L;
      case 3 -> image.refcountTableOffset() + random.nextInt(2) * 8L;
      case 4 -> image.snapshotOffsets().get(random.nextInt(2)) + random.nextInt(20) * 2L;
      case 5 -> image.bitmapDirectoryOffset() + random.nextInt(16) * 2L;
      default -> l2Table + random.nextInt(40) * 8L;
    };
  }

  private long value(SparseBytes bytes) {
    return switch (random.nextInt(4)) {
      case 0 -> random.nextLong(bytes.size()) & -512L; // at other metadata
      case 1 -> (random.nextLong(bytes.size()) & -512L) | (1L << random.nextInt(64));
      default -> VALUES[random.nextInt(VALUES.length)];
    };
  }

  /** Whether the image could be opened. */
  private boolean use(Path file) throws IOException {
    Image image;
    try {
      Images.info(file, OpenOptions.defaults());
      image = Images.open(file, OpenOptions.defaults());
    } catch (IOException refused) {
      assertThat(refused).hasMessageContaining(file.toString());
      return false;
    }
    try (image) {
      useDevice(image.disk());
      for (InternalSnapshot snapshot : image.snapshots()) {
        useSnapshot(image, snapshot);
      }
    }
    return true;
  }

  private void useSnapshot(Image image, InternalSnapshot snapshot) {
    try {
      useDevice(image.openSnapshot(snapshot));
    } catch (IOException refused) {
      assertThat(refused).hasMessageContaining("broken.qcow2");
    }
  }

  private void useDevice(BlockDevice device) {
    long size = device.size();
    for (int i = 0; i < 10; i++) {
      int length = (int) Math.min(size, random.nextInt(1 << 16));
      long offset = random.nextBoolean() ? size - length : random.nextLong(size - length + 1);
      try {
        device.read(ByteBuffer.allocateDirect(length), offset);
        long[] at = {offset};
        device.extents(offset, length, extent -> at[0] += extent.length());
        assertThat(at[0]).isEqualTo(offset + length);
      } catch (IOException refused) {
        assertThat(refused).hasMessageContaining("broken.qcow2");
      }
    }
  }
}
