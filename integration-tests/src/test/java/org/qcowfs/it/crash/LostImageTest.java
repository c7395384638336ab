package org.qcowfs.it.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.ImageEditor;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.TestDirectory;

/** Somebody cuts, moves, deletes or replaces the image file under a mount. */
@NeedsMounts
final class LostImageTest {
  private static final int CLUSTER = 64 << 10;
  private static final int CLUSTERS = 64;
  private static final long SIZE = 4L * CLUSTERS * CLUSTER;
  private static final int OLD = 0x31;
  private static final int NEW = 0x32;

  private final Path directory = TestDirectory.create("lost");
  private final Path image = QemuImg.create(directory.resolve("vm.qcow2"), "", SIZE);

  LostImageTest() {
    new QemuIo().write(OLD, 0, (long) CLUSTERS * CLUSTER).run(image);
  }

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
  }

  private static byte[] cluster(int value) {
    byte[] bytes = new byte[CLUSTER];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static FileChannel open(MountedImage mount) throws IOException {
    return FileChannel.open(mount.disk(), StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static void write(FileChannel disk, int value, int cluster) throws IOException {
    disk.write(ByteBuffer.wrap(cluster(value)), (long) cluster * CLUSTER);
  }

  private long hostOffsetOfFirstCluster() {
    JsonNode extent = QemuImg.map(image).get(0);
    assertThat(extent.get("length").asLong()).isEqualTo((long) CLUSTERS * CLUSTER);
    return extent.get("offset").asLong();
  }

  private long cutInHalf() throws IOException {
    long half = Files.size(image) / 2;
    ImageEditor.edit(image, file -> file.truncate(half));
    return half;
  }

  private static void assertLost(Path disk, int cluster) {
    assertThatExceptionOfType(UncheckedIOException.class)
        .as("cluster %d", cluster)
        .isThrownBy(() -> DiskBytes.read(disk, (long) cluster * CLUSTER, CLUSTER))
        .withMessageContaining("Input/output error");
  }

  private static void assertHolds(Path disk, int cluster, int value) {
    DiskBytes.assertHolds(disk, (long) cluster * CLUSTER, cluster(value));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ro", "rw"})
  void readsOfWhatWasCutOffFailAndTheRestStays(String access) throws IOException {
    long first = hostOffsetOfFirstCluster();
    String before;
    try (MountedImage mount = MountedImage.mount(image, access)) {
      int lost = (int) ((cutInHalf() - first) / CLUSTER);
      assertThat(lost).isPositive();
      before = DiskBytes.sha256(image);

      assertLost(mount.disk(), lost + 1);
      assertLost(mount.disk(), CLUSTERS - 1);
      for (int i = 0; i < lost; i++) {
        assertHolds(mount.disk(), i, OLD);
      }
      assertThat(Files.readString(mount.log())).contains("vm.qcow2").contains("past the end");
    }
    assertThat(DiskBytes.sha256(image)).isEqualTo(before);
  }

  /** A file that grew again would show zeros where data was lost. */
  @Test
  void anImageThatWasCutDoesNotGrowAgain() throws IOException {
    MountedImage mount = MountedImage.mount(image, "rw", "flush_interval=0");
    FileChannel disk = open(mount);
    write(disk, NEW, CLUSTERS);
    disk.force(true);
    long half = cutInHalf();

    for (int cluster : new int[] {1, CLUSTERS - 1, 2 * CLUSTERS}) {
      assertThatIOException()
          .as("cluster %d", cluster)
          .isThrownBy(() -> write(disk, NEW, cluster))
          .withMessageContaining("Input/output error");
    }
    assertThatIOException().isThrownBy(() -> disk.force(true));
    assertLost(mount.disk(), CLUSTERS - 1);
    assertHolds(mount.disk(), 2, OLD);
    assertThatIOException().as("close(2) flushes too").isThrownBy(disk::close);
    assertThat(Files.readString(mount.log())).contains("was cut to %d bytes".formatted(half));

    assertThat(Qcowfs.run("umount", mount.mountpoint()).refused())
        .contains("vm.qcow2")
        .contains("was cut");
    mount.wasEnded();
    mount.close();
    assertThat(Files.size(image)).isEqualTo(half);
  }

  @Test
  void aMountStaysWithItsFileWhereverThatGoesAndLeavesTheOtherAlone() throws IOException {
    Path other = QemuImg.create(directory.resolve("other.qcow2"), "", SIZE);
    String otherBefore = DiskBytes.sha256(other);
    Path moved = directory.resolve("moved.qcow2");
    try (MountedImage mount = MountedImage.mount(image, "rw");
        FileChannel disk = open(mount)) {
      write(disk, NEW, 0);
      Files.move(image, moved);
      Files.move(other, image);
      write(disk, NEW, CLUSTERS + 1);
      disk.force(true);
      assertHolds(mount.disk(), 1, OLD);
    }
    assertThat(DiskBytes.sha256(image)).isEqualTo(otherBefore);
    QemuImg.on(moved, "check", "-q", moved);
    try (MountedImage mount = MountedImage.mount(moved)) {
      assertHolds(mount.disk(), 0, NEW);
      assertHolds(mount.disk(), 1, OLD);
      assertHolds(mount.disk(), CLUSTERS + 1, NEW);
    }
  }

  @Test
  void aDeletedImageIsServedAsLongAsItIsMountedAndItsSuccessorIsNotTouched() throws IOException {
    Path other = QemuImg.create(directory.resolve("other.qcow2"), "", SIZE);
    String otherBefore = DiskBytes.sha256(other);
    try (MountedImage mount = MountedImage.mount(image, "rw");
        FileChannel disk = open(mount)) {
      Files.move(other, image, StandardCopyOption.REPLACE_EXISTING);
      write(disk, NEW, CLUSTERS + 1);
      disk.force(true);
      assertHolds(mount.disk(), CLUSTERS + 1, NEW);
      assertHolds(mount.disk(), 1, OLD);
      try (MountedImage successor = MountedImage.mount(image, "rw")) {
        assertThat(successor.disk()).exists();
      }
    }
    assertThat(DiskBytes.sha256(image)).isEqualTo(otherBefore);
  }
}
