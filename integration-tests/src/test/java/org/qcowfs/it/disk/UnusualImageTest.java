package org.qcowfs.it.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.ImageEditor;
import org.qcowfs.it.kit.Json;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.TestDirectory;

/** Legal images that programs seldom write: QEMU reads them, so must a mount. */
@NeedsMounts
final class UnusualImageTest {
  private static final int CLUSTER = 64 << 10;
  private static final long FAR = 5L << 40;
  private static final long COPIED = Long.MIN_VALUE;

  /** In a compressed descriptor at clusters of 64 KiB, the host offset is below this bit. */
  private static final int DESCRIPTOR_LENGTH_BIT = 54;

  private final Path directory = TestDirectory.create("unusual");
  private final Path image = directory.resolve("vm.qcow2");

  @Test
  void aDiskThatEndsWithinASectorIsShownWholeThoughQemuCutsIt() throws IOException {
    long size = (1 << 20) - 100;
    QemuImg.create(image, "", 1 << 20);
    new QemuIo().write(5, 0, 1 << 20).run(image);
    ImageEditor.edit(image, e -> e.put64(ImageEditor.SIZE, size));

    Path expected = QemuImg.toRaw(image);
    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      DiskBytes.assertSameUpTo(mount.disk(), expected, Files.size(expected));
      assertThat(mount.disk()).hasSize(size);
    }
    assertDescribedAsByQemu();
  }

  @Test
  void aRawImageOfAnySizeIsShownWhole() throws IOException {
    Path raw = directory.resolve("odd.raw");
    byte[] bytes = new byte[1_000_001];
    Arrays.fill(bytes, (byte) 'x');
    Files.write(raw, bytes);
    try (MountedImage mount = MountedImage.mount(raw, "ro")) {
      assertThat(mount.disk()).hasSize(bytes.length);
      DiskBytes.assertHolds(mount.disk(), 0, bytes);
    }
  }

  @Test
  void dataFarBeyondFourGibibytesOfTheHostFileIsRead() {
    fill();
    ImageEditor.edit(
        image,
        e -> {
          byte[] data = e.get(e.cluster(0), CLUSTER);
          e.put(FAR, data).put64(e.l2(0), COPIED | FAR);
          byte[] table = e.get(e.l2(0), CLUSTER);
          e.put(FAR + CLUSTER, table).put64(e.l1(), COPIED | (FAR + CLUSTER));
        });
    assertSameAsQemu();
  }

  @Test
  void compressedDataFarBeyondFourGibibytesIsRead() throws IOException {
    fillCompressed();
    ImageEditor.edit(
        image,
        e -> {
          long descriptor = e.get64(e.l2(0));
          long offset = descriptor & ((1L << DESCRIPTOR_LENGTH_BIT) - 1);
          long length = descriptor >>> DESCRIPTOR_LENGTH_BIT << DESCRIPTOR_LENGTH_BIT;
          byte[] compressed = e.get(offset, (int) (e.length() - offset));
          e.put(FAR + 123, compressed).put64(e.l2(0), length | (FAR + 123));
        });
    assertSameAsQemu();
  }

  @Test
  void anL1TableLargerThanTheDiskNeedsIsRead() {
    fill();
    ImageEditor.edit(image, e -> e.put32(ImageEditor.L1_SIZE, 100));
    assertSameAsQemu();
  }

  @Test
  void aDiskMadeSmallerKeepsItsLongL1Table() {
    QemuImg.create(image, "cluster_size=4096", 1 << 30);
    new QemuIo().write(7, 0, 10_000).write(8, 900 << 20, 4096).run(image);
    QemuImg.on(image, "resize", "-q", "--shrink", image, 3_000_320);
    assertSameAsQemu();
  }

  @Test
  void preallocatedZeroClustersReadAsZeroes() {
    fill();
    new QemuIo().writeZeroes(0, CLUSTER).writeZeroes(3 * CLUSTER, 2 * CLUSTER).run(image);
    assertSameAsQemu();
  }

  @Test
  void preallocatedMetadataReadsAsZeroes() {
    QemuImg.create(image, "preallocation=metadata", 8 << 20);
    new QemuIo().write(9, 1000, 5000).run(image);
    assertSameAsQemu();
  }

  @Test
  void aCompressedDescriptorMayRunPastTheEndOfTheFile() throws IOException {
    fillCompressed();
    ImageEditor.edit(image, e -> e.or64(e.l2(0) + 8, 0xffL << DESCRIPTOR_LENGTH_BIT));
    assertSameAsQemu();
  }

  @Test
  void aCompressedClusterMayEndWithTheFileInTheMiddleOfASector() throws IOException {
    fillCompressed();
    ImageEditor.edit(image, e -> e.truncate(e.length() - 1));
    assertThat(Files.size(image) % 512).isNotZero();
    assertSameAsQemu();
  }

  @Test
  void aDiskOfSeveralL2TablesIsRead() {
    long perTable = 32 << 20;
    QemuImg.create(image, "cluster_size=16384", 7 * perTable + 512);
    QemuIo io = new QemuIo();
    for (int i = 1; i < 7; i++) {
      io.write(i, perTable * i - 700, 5000);
    }
    io.write(99, 7 * perTable, 512).run(image);
    assertSameAsQemu();
  }

  @Test
  void aSnapshotOfAnotherSizeKeepsItsSize() {
    QemuImg.create(image, "", 3 << 20);
    new QemuIo().write(1, 0, 3 << 20).run(image);
    QemuImg.snapshot(image, "small");
    QemuImg.on(image, "resize", "-q", image, 5 << 20);
    new QemuIo().write(2, 1 << 20, 4 << 20).run(image);

    Path reverted = copyRevertedTo("small");
    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      DiskBytes.assertSame(mount.snapshotDisk("small"), QemuImg.toRaw(reverted));
      DiskBytes.assertSame(mount.disk(), QemuImg.toRaw(image));
    }
    try (MountedImage mount = MountedImage.mount(image, "ro", "snapshot=small")) {
      DiskBytes.assertSame(mount.disk(), QemuImg.toRaw(reverted));
    }
  }

  @Test
  void namesThatNoFileCanHaveAreEncoded() {
    QemuImg.create(image, "", 1 << 20);
    for (int i = 0; i < 4; i++) {
      new QemuIo().write(10 + i, 0, 1 << 20).run(image);
      QemuImg.snapshot(image, i < 2 ? "twice" : i == 2 ? "a/b 100%" : "..");
    }
    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      assertStartsWith(mount.snapshotDisk("twice~1"), 10);
      assertStartsWith(mount.snapshotDisk("twice~2"), 11);
      assertStartsWith(mount.snapshotDisk("a%2Fb 100%25"), 12);
      assertStartsWith(mount.snapshotDisk("%2E%2E"), 13);
      assertThat(mount.file("snapshots").toFile().list()).hasSize(4);
    }
  }

  private static void assertStartsWith(Path disk, int value) {
    DiskBytes.assertHolds(disk, 0, new byte[] {(byte) value});
  }

  private void fill() {
    QemuImg.create(image, "", 1 << 20);
    new QemuIo().write(3, 0, 150_000).write(4, 700_000, 80_000).run(image);
  }

  private void fillCompressed() throws IOException {
    Path text = Files.writeString(directory.resolve("text"), "compress me ".repeat(999));
    QemuImg.create(image, "", 1 << 20);
    new QemuIo().writeCompressed(text, 0, 2 * CLUSTER).run(image);
  }

  private void assertSameAsQemu() {
    Path expected = QemuImg.toRaw(image);
    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      DiskBytes.assertSame(mount.disk(), expected);
    }
    assertDescribedAsByQemu();
  }

  private void assertDescribedAsByQemu() {
    Json.assertSame("map", Json.parse(ours("map", image)), QemuImg.map(image));
    Json.assertSame("info", Json.parse(ours("info", image)), QemuImg.info(image));
  }

  private static String ours(String command, Path image) {
    return Qcowfs.run(command, "--json", image).succeeded().stdout();
  }

  private Path copyRevertedTo(String snapshot) {
    Path copy = directory.resolve("reverted.qcow2");
    try {
      Files.copy(image, copy);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    QemuImg.on(copy, "snapshot", "-a", snapshot, copy);
    return copy;
  }
}
