package org.qcowfs.it.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.TestDirectory;

/** A disk of 10 TiB costs no more than what is in it. */
@NeedsMounts
final class LargeDiskTest {
  private static final long VIRTUAL_BYTES = 10L << 40;
  private static final long CLUSTER = 64 << 10;
  private static final long MEMORY_LIMIT_KIB = 150 << 10;

  private final Path directory = TestDirectory.create("large");

  @Test
  void tenTebibytesAreMountedAndReadInLittleMemory() throws IOException {
    Path image = QemuImg.create(directory.resolve("large.qcow2"), "", VIRTUAL_BYTES);
    new QemuIo().write(0xab, VIRTUAL_BYTES - CLUSTER, CLUSTER).write(1, 5L << 40, 512).run(image);

    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      assertThat(Files.size(mount.disk())).isEqualTo(VIRTUAL_BYTES);
      assertHolds(mount.disk(), VIRTUAL_BYTES - CLUSTER, CLUSTER, 0xab);
      assertHolds(mount.disk(), 5L << 40, 512, 1);
      readAllOver(mount.disk());
      assertMemoryIsLow(mount.daemon());
    }
  }

  @Test
  void aDiskWithManyTablesIsReadRightAndInLittleMemory() throws IOException {
    Path image = QemuImg.create(directory.resolve("tables.qcow2"), "cluster_size=4096", 8L << 30);
    QemuIo io = new QemuIo();
    for (long at = 0; at < 8L << 30; at += 6 << 20) {
      io.write((int) (at >> 20) % 255 + 1, at + 4096, 4096);
    }
    io.run(image);

    try (MountedImage mount = MountedImage.mount(image, "ro", "l2_cache_size=65536")) {
      for (long at = 0; at < 8L << 30; at += 6 << 20) {
        assertHolds(mount.disk(), at, 4096, 0);
        assertHolds(mount.disk(), at + 4096, 4096, (int) (at >> 20) % 255 + 1);
      }
      assertMemoryIsLow(mount.daemon());
    }
  }

  private static void readAllOver(Path disk) {
    for (long at = 0; at < VIRTUAL_BYTES; at += VIRTUAL_BYTES / 2000 & -CLUSTER) {
      DiskBytes.read(disk, at, 512);
    }
  }

  private static void assertHolds(Path disk, long offset, long length, int value) {
    byte[] expected = new byte[(int) length];
    Arrays.fill(expected, (byte) value);
    DiskBytes.assertHolds(disk, offset, expected);
  }

  private static void assertMemoryIsLow(ProcessHandle daemon) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", "" + daemon.pid(), "status"))) {
      if (line.startsWith("VmHWM:") || line.startsWith("VmRSS:")) {
        long kib = Long.parseLong(line.replaceAll("\\D", ""));
        assertThat(kib).as(line).isBetween(1L, MEMORY_LIMIT_KIB);
      }
    }
  }
}
