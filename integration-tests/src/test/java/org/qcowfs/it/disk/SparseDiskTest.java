package org.qcowfs.it.disk;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskFile;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.SparseFile;
import org.qcowfs.it.kit.SparseFile.Data;
import org.qcowfs.it.kit.TestDirectory;

/** Programs find the holes of a disk by SEEK_HOLE and SEEK_DATA, exactly where its map has them. */
@NeedsMounts
final class SparseDiskTest {
  private static final long MIB = 1 << 20;
  private static final int CLUSTER = 64 << 10;
  private static final int PAGE = 4096;
  private static final String ON = "accelerate=on";

  private final Path directory = TestDirectory.create("sparse");
  private final Path image = directory.resolve("vm.qcow2");

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
  }

  /** Data and zeros in the image, over data and holes of its backing file. */
  private void createChain() {
    Path base = QemuImg.create(directory.resolve("base.qcow2"), "", 64 * MIB);
    new QemuIo().write(1, 0, 8 * MIB).write(2, 20 * MIB, 3 * MIB).run(base);
    QemuImg.createOverlay(image, "base.qcow2", "qcow2");
    new QemuIo()
        .writeZeroes(2 * MIB, MIB)
        .writeZeroesAndUnmap(4 * MIB, CLUSTER)
        .write(3, 30 * MIB, CLUSTER)
        .write(4, 30 * MIB + 2 * CLUSTER, CLUSTER)
        .run(image);
  }

  private static List<Data> dataOf(Path file) {
    try (SparseFile sparse = SparseFile.open(file)) {
      return sparse.data();
    }
  }

  @Test
  void whateverReadsAsZerosByTheMapIsAHoleThroughTheWholeChain() {
    createChain();
    JsonNode map = QemuImg.map(image);
    try (MountedImage mount = MountedImage.mount(image, "ro", ON)) {
      assertThat(dataOf(mount.disk())).isEqualTo(SparseFile.dataOf(map, 64 * MIB)).hasSize(6);
    }
    try (MountedImage mount = MountedImage.mount(image, "rw", ON)) {
      assertThat(dataOf(mount.disk())).isEqualTo(SparseFile.dataOf(map, 64 * MIB));
    }
  }

  @Test
  void aSnapshotHasTheHolesOfItsTime() {
    createChain();
    JsonNode before = QemuImg.map(image);
    QemuImg.snapshot(image, "then");
    new QemuIo().write(5, 40 * MIB, MIB).writeZeroes(0, MIB).run(image);

    try (MountedImage mount = MountedImage.mount(image, "ro", ON)) {
      assertThat(dataOf(mount.snapshotDisk("then"))).isEqualTo(SparseFile.dataOf(before, 64 * MIB));
      assertThat(dataOf(mount.disk())).isEqualTo(SparseFile.dataOf(QemuImg.map(image), 64 * MIB));
    }
  }

  @Test
  void aPartitionHasTheHolesOfItsPartOfTheDisk() throws IOException {
    createChain();
    try (MountedImage mount = MountedImage.mount(image, "rw", ON)) {
      Path script = Files.writeString(directory.resolve("table"), "label: dos\n3MiB 19MiB\n");
      Command.of("sh", "-c", "sfdisk -q --wipe never %s < %s".formatted(mount.disk(), script))
          .run()
          .succeeded();
      Path partition = mount.file("partitions/1.raw");
      List<Data> ofDisk = dataOf(mount.disk());

      assertThat(dataOf(partition))
          .isEqualTo(SparseFile.within(ofDisk, 3 * MIB, 22 * MIB))
          .isNotEmpty();
    }
    List<Data> ofDisk = SparseFile.dataOf(QemuImg.map(image), 64 * MIB);
    try (MountedImage mount = MountedImage.mount(image, "ro", ON)) {
      assertThat(dataOf(mount.file("partitions/1.raw")))
          .isEqualTo(SparseFile.within(ofDisk, 3 * MIB, 22 * MIB));
    }
  }

  @Test
  void aDescriptionHasNoHoles() {
    createChain();
    try (MountedImage mount = MountedImage.mount(image, "rw", ON)) {
      Path map = mount.file(".qcowfs/map.json");
      assertThat(dataOf(map)).containsExactly(new Data(0, map.toFile().length()));
    }
  }

  @Test
  void whatIsWrittenIsDataAtOnceAndWhatIsPunchedIsAHole() {
    QemuImg.create(image, "", 64 * MIB);
    try (MountedImage mount = MountedImage.mount(image, "rw", ON);
        DiskFile disk = DiskFile.open(mount.disk(), DiskFile.PLAIN)) {
      disk.write(new byte[CLUSTER], 10 * MIB);
      assertThat(dataOf(mount.disk())).containsExactly(new Data(10 * MIB, 10 * MIB + CLUSTER));

      disk.punchHole(10 * MIB, CLUSTER);
      assertThat(dataOf(mount.disk())).isEmpty();
    }
  }

  /** The kernel asks before it has written them out. A copy would lack them, silently. */
  @Test
  void pagesThatWereChangedInAMappingAreDataBeforeTheyAreWritten() {
    QemuImg.create(image, "", 64 * MIB);
    try (MountedImage mount = MountedImage.mount(image, "rw", ON);
        DiskFile disk = DiskFile.open(mount.disk(), DiskFile.PLAIN);
        DiskFile.Mapping mapping = disk.map(0, 64 * MIB)) {
      mapping.put(new byte[] {1}, 5 * MIB);
      mapping.put(new byte[] {1}, 5 * MIB + CLUSTER);
      mapping.put(new byte[] {1}, 33 * MIB + PAGE);

      try (SparseFile sparse = SparseFile.open(mount.disk())) {
        assertThat(sparse.nextData(0)).isEqualTo(5 * MIB);
        assertThat(sparse.nextData(5 * MIB + CLUSTER)).isEqualTo(5 * MIB + CLUSTER);
        assertThat(sparse.nextData(33 * MIB)).isBetween(33 * MIB, 33 * MIB + PAGE);
        assertThat(sparse.nextData(34 * MIB)).isEqualTo(SparseFile.NOTHING);
      }
    }
  }

  /** Reading a disk of that size would take longer than any deadline of these commands. */
  @Test
  void programsCopyADiskOfATebibyteWithoutItsHoles() throws IOException {
    QemuImg.create(image, "", 1L << 40);
    new QemuIo()
        .write(1, 0, MIB)
        .write(2, 600L << 30, MIB)
        .write(3, (1L << 40) - MIB, MIB)
        .run(image);
    try (MountedImage mount = MountedImage.mount(image, "ro", ON)) {
      assertThat(dataOf(mount.disk())).hasSize(3);

      Path copy = directory.resolve("copy.raw");
      Command.of("cp", "--sparse=auto", mount.disk(), copy).run().succeeded();
      QemuImg.assertIdentical(copy, image);
      Files.delete(copy);

      Path archive = directory.resolve("disk.tar");
      Command.of("tar", "-C", mount.mountpoint(), "-S", "-cf", archive, "disk.raw")
          .run()
          .succeeded();
      assertThat(Files.size(archive)).isLessThan(4 * MIB);
      Command.of("tar", "-C", directory, "-S", "-xf", archive).run().succeeded();
      QemuImg.assertIdentical(directory.resolve("disk.raw"), image);

      Path converted = directory.resolve("converted.qcow2");
      QemuImg.on(image, "convert", "-f", "raw", "-O", "qcow2", mount.disk(), converted);
      QemuImg.on(image, "compare", "-f", "qcow2", "-F", "qcow2", converted, image);
    }
  }

  @Test
  void withoutTheAcceleratorAFileIsAllDataAsFarAsTheKernelKnows() {
    createChain();
    try (MountedImage mount = MountedImage.mount(image, "ro", "accelerate=off")) {
      assertThat(dataOf(mount.disk())).containsExactly(new Data(0, 64 * MIB));
    }
  }
}
