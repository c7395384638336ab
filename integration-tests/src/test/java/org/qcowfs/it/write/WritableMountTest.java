package org.qcowfs.it.write;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Accelerator;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.CommandResult;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.TestDirectory;

/** What a mount that can be written promises as a whole. */
@NeedsMounts
@Accelerator.BothWays
final class WritableMountTest {
  private static final long SIZE = 64 << 20;
  private static final int INCOMPATIBLE_FEATURES = 79;
  private static final int CORRUPT = 2;

  private final Path directory = TestDirectory.create("writable");
  private final Path image = QemuImg.create(directory.resolve("vm.qcow2"), "", SIZE);
  private final Path mountpoint = TestDirectory.create("mnt");

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
    TestDirectory.delete(mountpoint);
  }

  @Test
  void aMountWithoutWritesLeavesTheFileAsItWas() throws IOException {
    String before = DiskBytes.sha256(image);

    try (MountedImage mount = MountedImage.mount(image, "rw")) {
      assertThat(Files.size(mount.disk())).isEqualTo(SIZE);
      try (FileChannel disk = FileChannel.open(mount.disk(), StandardOpenOption.WRITE)) {
        disk.force(true);
      }
    }

    assertThat(DiskBytes.sha256(image)).isEqualTo(before);
  }

  @Test
  void anotherWriterIsKeptOut() {
    try (MountedImage mount = MountedImage.mount(image, "rw")) {
      CommandResult qemu = Command.of("qemu-io", "-f", "qcow2", "-c", "write 0 512", image).run();

      assertThat(qemu.exitCode()).isNotZero();
      assertThat(qemu.stderr()).contains("lock");
      assertThat(mount.disk()).exists();
    }
  }

  @Test
  void aCorruptImageIsNotWritten() throws IOException {
    try (FileChannel file = FileChannel.open(image, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(new byte[] {CORRUPT}), INCOMPATIBLE_FEATURES);
    }

    assertThat(Qcowfs.mountRefused(image, mountpoint, "rw")).contains("corrupt").contains("ro");
  }

  @Test
  void anImageWithBitmapsIsNotWrittenUnlessTheyAreGivenUp() {
    QemuImg.on(image, "bitmap", "--add", image, "backup");

    assertThat(Qcowfs.mountRefused(image, mountpoint, "rw"))
        .contains("bitmap")
        .contains("drop_bitmaps");
  }

  @Test
  void bitmapsAreNotGivenUpWhereThatWouldCostTheSnapshots() {
    QemuImg.on(image, "bitmap", "--add", image, "backup");
    QemuImg.snapshot(image, "installed");

    assertThat(Qcowfs.mountRefused(image, mountpoint, "rw", "drop_bitmaps"))
        .contains("snapshots")
        .contains("bitmap --remove");
  }

  @ParameterizedTest
  @ValueSource(strings = {"writeback", "none", "unsafe"})
  void randomWritesSixteenDeepReadBackRight(String mode) {
    try (MountedImage mount = MountedImage.mount(image, "rw", "cache=" + mode)) {
      Command.of("fio", "--name=verify", "--filename=" + mount.disk(), "--size=16M")
          .with(List.of("--rw=randwrite", "--bs=4k", "--direct=1", "--ioengine=libaio"))
          .with(List.of("--iodepth=16", "--verify=crc32c", "--verify_fatal=1"))
          .run()
          .succeeded();
    }
    QemuImg.on(image, "check", "-q", image);
  }
}
