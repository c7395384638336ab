package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.testkit.DiskContents;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SnapshotSpec;

/**
 * Random disks against a byte array, over cluster size, version and entry width. {@code
 * -Dqcowfs.seed=N} repeats a run.
 */
final class ReadModelTest {
  private static final long SEED = Long.getLong("qcowfs.seed", 20_261_120L);

  @TempDir private Path directory;

  private final SplittableRandom random = new SplittableRandom(SEED);

  @ParameterizedTest(
      name = "2^{0} byte clusters, version {1}, extended L2 {2}, {3} bytes, zstd {4}")
  @CsvSource({
    "9, 2, false, 100077, false",
    "9, 3, false, 100352, true",
    "10, 3, false, 300001, false",
    "12, 2, false, 5000000, false",
    "12, 3, false, 5000001, true",
    "14, 3, true, 17000512, false",
    "16, 2, false, 3000000, false",
    "16, 3, false, 3000001, false",
    "16, 3, true, 3000002, true",
    "17, 3, true, 3000003, false",
    "21, 2, false, 9000000, false",
    "21, 3, false, 9000001, true",
    "21, 3, true, 9000002, false",
  })
  void everyByteOfDiskAndSnapshotIsTheOneOfTheModel(
      int clusterBits, int version, boolean extendedL2, int size, boolean zstd) throws IOException {
    byte[] backing = bytes(size * 2 / 3 + 11);
    Files.write(directory.resolve("base.raw"), backing);
    ImageBuilder builder =
        new ImageBuilder(version, clusterBits).virtualSize(size).backing("base.raw", "raw");
    if (extendedL2) {
      builder.extendedL2();
    }
    if (size % 2 == 0) {
      builder.scattered();
    }
    if (zstd) {
      builder.zstd();
    }
    DiskContents disk = fill(builder.disk(), clusterBits, version, extendedL2, size);
    DiskContents snapshot =
        fill(
            builder.snapshot(SnapshotSpec.of("1", "s", size / 2)),
            clusterBits,
            version,
            extendedL2,
            size / 2);
    Path file = builder.build().writeTo(directory.resolve("top.qcow2"));

    try (Image image = Images.open(file, OpenOptions.defaults())) {
      assertThat(image.disk().size()).isEqualTo(size);
      compare(image.disk(), disk.expected(Arrays.copyOf(backing, size)));
      BlockDevice old = image.openSnapshot(image.snapshots().get(0));
      assertThat(old.size()).isEqualTo(size / 2);
      compare(old, snapshot.expected(Arrays.copyOf(backing, size / 2)));
    }
  }

  private DiskContents fill(
      DiskContents disk, int clusterBits, int version, boolean extendedL2, int size) {
    int clusterBytes = 1 << clusterBits;
    for (long cluster = 0; cluster << clusterBits < size; cluster++) {
      switch (random.nextInt(version >= 3 ? 8 : 4)) {
        case 0, 1 -> disk.data(cluster, bytes(clusterBytes));
        case 2 -> disk.compressed(cluster, bytes(clusterBytes));
        case 3 -> {
          // stays unallocated
        }
        case 4 -> disk.zero(cluster);
        case 5 -> disk.zeroPreallocated(cluster, bytes(clusterBytes));
        default -> fillSubclusters(disk, cluster, clusterBytes, extendedL2);
      }
    }
    return disk;
  }

  private void fillSubclusters(
      DiskContents disk, long cluster, int clusterBytes, boolean extendedL2) {
    if (!extendedL2) {
      disk.data(cluster, bytes(clusterBytes));
      return;
    }
    int zero = random.nextInt() << random.nextInt(20);
    boolean allocated = random.nextInt(4) != 0;
    disk.subclusters(
        cluster,
        allocated ? bytes(clusterBytes) : new byte[0],
        allocated ? random.nextInt() & ~zero : 0,
        zero);
  }

  /** Compressible, and different everywhere. */
  private byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    int run = 0;
    byte value = 0;
    for (int i = 0; i < count; i++) {
      if (run-- == 0) {
        run = random.nextInt(300);
        value = (byte) random.nextInt();
      }
      bytes[i] = (byte) (value + (i >> 9));
    }
    return bytes;
  }

  private void compare(BlockDevice device, byte[] model) throws IOException {
    ByteBuffer whole = ByteBuffer.allocateDirect(model.length);
    device.read(whole, 0);
    assertSame(whole.flip(), model, 0, true);
    for (int i = 0; i < 150; i++) {
      int offset = random.nextInt(model.length);
      int most = Math.min(model.length - offset, 1 << random.nextInt(1, 23));
      compareAt(device, model, offset, random.nextInt(most + 1));
    }
    compareAt(device, model, model.length, 0);
    compareAt(device, model, model.length - 1, 1);
    assertThatThrownBy(() -> device.read(ByteBuffer.allocate(2), model.length - 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> device.read(ByteBuffer.allocate(1), -1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  private void compareAt(BlockDevice device, byte[] model, int offset, int length)
      throws IOException {
    boolean direct = random.nextInt(2) == 0;
    int before = random.nextInt(20);
    int behind = random.nextInt(20);
    int capacity = before + length + behind;
    ByteBuffer buffer =
        direct ? ByteBuffer.allocateDirect(capacity) : ByteBuffer.allocate(capacity);
    byte[] guard = new byte[capacity];
    Arrays.fill(guard, (byte) 0xa5);
    buffer.put(guard).clear().position(before).limit(before + length);

    device.read(buffer, offset);

    assertThat(buffer.position()).isEqualTo(before + length);
    assertThat(buffer.limit()).isEqualTo(before + length);
    assertSame(buffer.slice(before, length), model, offset, direct);
    assertThat(buffer.clear().slice(0, before)).isEqualTo(ByteBuffer.wrap(guard, 0, before));
    assertThat(buffer.slice(before + length, behind)).isEqualTo(ByteBuffer.wrap(guard, 0, behind));
  }

  private static void assertSame(ByteBuffer read, byte[] model, int offset, boolean direct) {
    int difference = read.mismatch(ByteBuffer.wrap(model, offset, read.remaining()));
    assertThat(difference)
        .as(
            "first wrong byte of %d from guest offset %d (direct: %s, seed %d)",
            read.remaining(), offset, direct, SEED)
        .isEqualTo(-1);
  }
}
