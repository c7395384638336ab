package org.qcowfs.it.disk;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.Json;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.Seed;
import org.qcowfs.it.kit.TestDirectory;

/** Each partition is a file of its own, where {@code sfdisk} says that it lies. */
@NeedsMounts
final class PartitionTest {
  private static final long DISK_BYTES = 64 << 20;
  private static final int SECTOR = 512;

  /** An extended partition only holds others; the kernel, too, does not show its contents. */
  private static final Set<String> EXTENDED_TYPES = Set.of("5", "f", "85");

  private final Path directory = TestDirectory.create("partitions");

  /** Partition tables as {@code sfdisk} takes them. */
  enum Layout {
    MBR("label: dos\n,4M\n,3M,82,*\n"),
    MBR_WITH_LOGICAL("label: dos\n,4M\n,40M,E\n,2M\n,3M\n,7M\n,5M\n,1M\n"),
    MBR_WITH_GAP("label: dos\n2 : size=4M\n4 : start=20M, size=1000\n"),
    GPT("label: gpt\n,4M\n,3M,S\n,10M,U\n"),
    GPT_WITH_GAP("label: gpt\n3 : size=4M\n17 : start=40M, size=999\n128 : size=1M\n");

    private final String script;

    Layout(String script) {
      this.script = script;
    }
  }

  @ParameterizedTest
  @EnumSource(Layout.class)
  void partitionsLieWhereSfdiskSaysTheyDo(Layout layout) throws IOException {
    Path raw = createDisk(layout);
    Path image = directory.resolve("disk.qcow2");
    QemuImg.on(image, "convert", "-f", "raw", "-O", "qcow2", raw, image);
    JsonNode table = Json.parse(Command.of("sfdisk", "-J", raw).run().succeeded().stdout());

    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      Set<String> expected = new TreeSet<>();
      for (JsonNode partition : table.at("/partitiontable/partitions")) {
        if (!EXTENDED_TYPES.contains(partition.get("type").asText())) {
          String name = numberOf(partition, raw) + ".raw";
          expected.add(name);
          assertIsSlice(mount.file("partitions/" + name), raw, partition);
        }
      }
      assertThat(mount.file("partitions").toFile().list())
          .containsAll(expected)
          .hasSizeLessThanOrEqualTo(expected.size() + 1);
    }
  }

  @Test
  void aDiskWithoutPartitionsHasNone() {
    Path image = QemuImg.create(directory.resolve("empty.qcow2"), "", DISK_BYTES);
    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      assertThat(mount.file("partitions"))
          .satisfiesAnyOf(
              partitions -> assertThat(partitions).doesNotExist(),
              partitions -> assertThat(partitions).isEmptyDirectory());
    }
  }

  @Test
  void aPartitionOfASnapshotIsThatOfThen() throws IOException {
    Path raw = createDisk(Layout.GPT);
    Path image = directory.resolve("disk.qcow2");
    QemuImg.on(image, "convert", "-f", "raw", "-O", "qcow2", raw, image);
    QemuImg.snapshot(image, "then");
    new QemuIo().write(0xee, 0, DISK_BYTES).run(image);

    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      Path then = mount.file("snapshots/then/partitions/2.raw");
      DiskBytes.assertHolds(then, 0, DiskBytes.read(raw, 5 << 20, 3 << 20));
      assertThat(mount.file("partitions/2.raw")).doesNotExist();
    }
  }

  private static void assertIsSlice(Path file, Path raw, JsonNode partition) throws IOException {
    long start = partition.get("start").asLong() * SECTOR;
    int size = Math.toIntExact(partition.get("size").asLong() * SECTOR);
    assertThat(Files.size(file)).as("size of %s", file).isEqualTo(size);
    DiskBytes.assertHolds(file, 0, DiskBytes.read(raw, start, size));
  }

  private static String numberOf(JsonNode partition, Path raw) {
    return partition.get("node").asText().substring(raw.toString().length());
  }

  /** A raw disk of random bytes with that partition table. */
  private Path createDisk(Layout layout) throws IOException {
    Path raw = directory.resolve("disk.img-");
    SplittableRandom random = Seed.random(layout.name());
    try (FileChannel file =
        FileChannel.open(raw, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      byte[] bytes = new byte[1 << 20];
      for (long at = bytes.length; at < DISK_BYTES - bytes.length; at += bytes.length) {
        random.nextBytes(bytes);
        file.write(ByteBuffer.wrap(bytes), at);
      }
      file.write(ByteBuffer.wrap(new byte[1]), DISK_BYTES - 1);
    }
    Path script = Files.writeString(directory.resolve("script"), layout.script);
    String sfdisk = "sfdisk -q --wipe never %s < %s".formatted(raw, script);
    Command.of("sh", "-c", sfdisk).run().succeeded();
    return raw;
  }
}
