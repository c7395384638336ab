package org.qcowfs.it.write;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.DiskFile;
import org.qcowfs.it.kit.ImageEditor;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.Seed;
import org.qcowfs.it.kit.TestDirectory;

/** Disks that change their size in use, and what has to move in the image for it. */
@NeedsMounts
final class ResizeTest {
  private static final int MIB = 1 << 20;
  private static final int TABLES = ImageEditor.REFCOUNT_TABLE_OFFSET;

  private final Path directory = TestDirectory.create("resize");
  private final Path image = directory.resolve("vm.qcow2");

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
  }

  /** The place of each structure that cannot grow where it is. */
  private record Places(long l1Table, long refcountTable, long refcountTableClusters) {
    static Places in(Path image) {
      return ImageEditor.read(
          image,
          editor ->
              new Places(
                  editor.l1(),
                  editor.get64(TABLES),
                  editor.get32(ImageEditor.REFCOUNT_TABLE_CLUSTERS)));
    }
  }

  /** An L2 table maps 32 KiB then, and a refcount block counts as much: so all grow early. */
  @ParameterizedTest
  @ValueSource(strings = {"writeback", "none", "unsafe"})
  void tablesOfTinyClustersMoveAsTheDiskGrows(String mode) {
    QemuImg.create(image, "cluster_size=512,refcount_bits=64", MIB);
    Path model = QemuImg.createRaw(directory.resolve("model.raw"), MIB);
    new QemuIo().write(0x31, 0, MIB).run(image);
    new QemuIo().write(0x31, 0, MIB).runRaw(model);
    SplittableRandom random = Seed.random("growth " + mode);
    Places places = Places.in(image);

    for (int size = 5 * MIB; size <= 25 * MIB; size += 10 * MIB) {
      try (MountedImage mount = MountedImage.mount(image, "rw", "cache=" + mode);
          DiskFile disk = DiskFile.open(mount.disk(), DiskFile.PLAIN);
          DiskFile plain = DiskFile.open(model, DiskFile.PLAIN)) {
        disk.truncate(size);
        plain.truncate(size);
        fill(random, disk, plain, size);
      }
      QemuImg.on(image, "check", "-q", image);
      QemuImg.assertIdentical(model, image);
    }

    Places grown = Places.in(image);
    assertThat(grown.l1Table()).isNotEqualTo(places.l1Table());
    assertThat(grown.refcountTable()).isNotEqualTo(places.refcountTable());
    assertThat(grown.refcountTableClusters()).isGreaterThan(4 * places.refcountTableClusters());
  }

  /** From the end of what is written on, so that every part of the disk is written once. */
  private static void fill(SplittableRandom random, DiskFile disk, DiskFile plain, int size) {
    byte[] bytes = new byte[MIB / 2];
    for (int offset = size - 5 * MIB / 2; offset < size; offset += bytes.length) {
      random.nextBytes(bytes);
      disk.write(bytes, offset);
      plain.write(bytes, offset);
    }
    for (int i = 0; i < 400; i++) {
      byte[] some = new byte[1 + random.nextInt(20_000)];
      random.nextBytes(some);
      int offset = random.nextInt(size - some.length);
      disk.write(some, offset);
      plain.write(some, offset);
    }
    disk.fsync();
  }

  @Test
  void aDiskOverABackingFileShrinksAlsoWhereItsDataLiesInAnotherFile() {
    Path base = QemuImg.createRaw(directory.resolve("base.raw"), MIB);
    new QemuIo().write(0x44, 0, MIB).runRaw(base);
    QemuImg.create(image, "data_file=vm.data,backing_file=base.raw,backing_fmt=raw", MIB);

    try (MountedImage mount = MountedImage.mount(image, "rw", "allow_shrink");
        DiskFile disk = DiskFile.open(mount.disk(), DiskFile.PLAIN)) {
      disk.truncate(MIB / 2 + 512);
      disk.truncate(MIB);
    }

    QemuImg.on(image, "check", "-q", image);
    byte[] expected = new byte[MIB];
    Arrays.fill(expected, 0, MIB / 2 + 512, (byte) 0x44);
    DiskBytes.assertHolds(QemuImg.toRaw(image), 0, expected);
  }
}
