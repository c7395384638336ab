package org.qcowfs.it.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.ImageEditor;
import org.qcowfs.it.kit.Json;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.TestDirectory;

/** A mounted image turns out to be corrupt: it is marked, and no longer written to. */
@NeedsMounts
final class CorruptImageTest {
  private static final int CLUSTER = 64 << 10;
  private static final long COPIED = 1L << 63;
  private static final byte OLD = 0x55;

  private final Path directory = TestDirectory.create("corrupt");
  private final Path image = QemuImg.create(directory.resolve("vm.qcow2"), "", 32 << 20);

  CorruptImageTest() {
    new QemuIo().write(OLD, 0, 4L * CLUSTER).run(image);
  }

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
  }

  private static void write(FileChannel disk, int cluster) throws IOException {
    assertThat(disk.write(ByteBuffer.allocate(4096), (long) cluster * CLUSTER)).isEqualTo(4096);
  }

  private static void assertReadable(Path disk) {
    byte[] expected = new byte[CLUSTER];
    Arrays.fill(expected, OLD);
    DiskBytes.assertHolds(disk, 2L * CLUSTER, expected);
  }

  private static JsonNode formatSpecific(JsonNode info) {
    return info.get("format-specific").get("data");
  }

  @ParameterizedTest
  @ValueSource(strings = {"writeback", "directsync", "volatile"})
  void aWriteOverMetadataFailsAndMarksTheImage(String mode) throws IOException {
    ImageEditor.edit(image, it -> it.put64(it.l2(0), COPIED | it.l1()));
    String reason = "overlaps the active L1 table";
    MountedImage mount = MountedImage.mount(image, "rw", "cache=" + mode);
    boolean stopped = false;
    try (FileChannel disk =
        FileChannel.open(mount.disk(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      assertThat(Json.read(mount.file(".qcowfs/info.json")).has("write-stop-reason")).isFalse();
      assertThatIOException()
          .isThrownBy(() -> write(disk, 0))
          .withMessageContaining("Input/output error");

      Command shared = Command.of("qemu-img", "info", "-U", "--output=json", image);
      JsonNode qemu = Json.parse(shared.run().succeeded().stdout());
      assertThat(formatSpecific(qemu).get("corrupt").asBoolean()).isTrue();
      JsonNode info = Json.read(mount.file(".qcowfs/info.json"));
      assertThat(info.get("write-stop-reason").asText()).contains(image.toString(), reason);
      assertThat(formatSpecific(info).get("corrupt").asBoolean()).isTrue();
      assertThat(Files.readString(mount.log())).contains(reason, "qcowfs check -r all");
      assertThatIOException().isThrownBy(() -> write(disk, 3));
      assertThatIOException().isThrownBy(() -> disk.force(true));
      assertReadable(mount.disk());
      stopped = true;
    } catch (IOException closing) {
      assertThat(closing).hasMessageContaining("Input/output error");
    }
    assertThat(stopped).as("every step before the close was taken").isTrue();
    assertThat(Qcowfs.run("umount", mount.mountpoint()).refused()).contains(reason);
    mount.wasEnded();
    mount.close();

    assertRefusedUntilRepaired();
  }

  private void assertRefusedUntilRepaired() throws IOException {
    Path mountpoint = Files.createDirectory(directory.resolve("mnt"));
    assertThat(Qcowfs.mountRefused(image, mountpoint, "rw"))
        .contains("marked corrupt", "ro", "qcowfs check -r all");
    try (MountedImage again = MountedImage.mountAt(mountpoint, image, "ro")) {
      assertReadable(again.disk());
    }
    Qcowfs.run("check", "-r", "all", image).succeeded();
    Command.of("qemu-img", "check", "-q", image).run().succeeded();
    try (MountedImage again = MountedImage.mountAt(mountpoint, image, "rw");
        FileChannel disk = FileChannel.open(again.disk(), StandardOpenOption.WRITE)) {
      write(disk, 3);
      disk.force(true);
    }
  }
}
