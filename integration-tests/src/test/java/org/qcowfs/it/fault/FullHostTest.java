package org.qcowfs.it.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.TestDirectory;

/** The host's file system has no room for what is written. */
@NeedsMounts
final class FullHostTest {
  private static final int BLOCK = 32 << 10;
  private static final int HOST_BYTES = 12 << 20;
  private static final long SIZE = 64 << 20;

  private final Path directory = TestDirectory.create("full");

  @BeforeEach
  void mountSmallHost() {
    Command.of("mount", "-t", "tmpfs", "-o", "size=" + HOST_BYTES, "tmpfs", directory)
        .run()
        .succeeded();
  }

  @AfterEach
  void delete() {
    Command.of("umount", directory).run().succeeded();
    TestDirectory.delete(directory);
  }

  private static FileChannel open(MountedImage mount) throws IOException {
    return FileChannel.open(mount.disk(), StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static ByteBuffer block(int value) {
    byte[] bytes = new byte[BLOCK];
    Arrays.fill(bytes, (byte) value);
    return ByteBuffer.wrap(bytes);
  }

  /** Every second block, so that clusters have gaps. Returns how many there was room for. */
  private static int fill(FileChannel disk, String words) throws IOException {
    for (int i = 0; i * 2L * BLOCK < SIZE; i++) {
      try {
        disk.write(block(i % 100 + 1), i * 2L * BLOCK);
      } catch (IOException e) {
        assertThat(e).hasMessageContaining(words);
        return i;
      }
    }
    throw new AssertionError("there was room for everything");
  }

  private static void assertFilled(Path disk, int from, int to) {
    for (int i = from; i < to; i++) {
      DiskBytes.assertHolds(disk, i * 2L * BLOCK, block(i % 100 + 1).array());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "writeback, cluster_size=64k",
    "writeback, 'cluster_size=512,refcount_bits=64'",
    "writethrough, cluster_size=4k",
    "unsafe, 'cluster_size=32k,extended_l2=on'",
    "volatile, cluster_size=8k",
  })
  void aWriterHearsThatTheHostIsFullAndGoesOnWhenItIsNot(String mode, String options)
      throws IOException {
    Path image = QemuImg.create(directory.resolve("vm.qcow2"), options, SIZE);
    Path ballast = Files.write(directory.resolve("ballast"), new byte[HOST_BYTES / 3]);
    int blocks;
    try (MountedImage mount = MountedImage.mount(image, "rw", "cache=" + mode);
        FileChannel disk = open(mount)) {
      blocks = fill(disk, "No space left");
      assertThat(blocks).isPositive();
      disk.force(true);
      disk.write(block(200), 0); // in place
      disk.force(true);
      assertThatIOException().isThrownBy(() -> disk.write(block(1), SIZE - BLOCK));
      DiskBytes.assertHolds(mount.disk(), 0, block(200).array());
      assertFilled(mount.disk(), 1, blocks);

      Files.delete(ballast);
      disk.write(block(blocks % 100 + 1), blocks * 2L * BLOCK);
      disk.write(block(201), SIZE - BLOCK);
      disk.force(true);
    }
    QemuImg.on(image, "check", "-q", image);
    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      DiskBytes.assertHolds(mount.disk(), 0, block(200).array());
      assertFilled(mount.disk(), 1, blocks + 1);
      DiskBytes.assertHolds(mount.disk(), SIZE - BLOCK, block(201).array());
    }
  }

  /** Nobody ever makes room: what was written is safe all the same. */
  @Test
  void aMountOnAFullHostEndsInOrder() throws IOException {
    Path image = QemuImg.create(directory.resolve("vm.qcow2"), "cluster_size=4k", SIZE);
    int blocks;
    try (MountedImage mount = MountedImage.mount(image, "rw");
        FileChannel disk = open(mount)) {
      blocks = fill(disk, "No space left");
      disk.force(true);
    }
    QemuImg.on(image, "check", "-q", image);
    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      assertFilled(mount.disk(), 0, blocks);
    }
  }

  @Test
  void aWriterHearsThatTheImageMayNotGrow() throws IOException {
    Path image = QemuImg.create(directory.resolve("vm.qcow2"), "", SIZE);
    Path mountpoint = TestDirectory.create("mnt");
    Command limited =
        Qcowfs.mountCommand(image, mountpoint, "rw").under("prlimit", "--fsize=" + (4 << 20));
    int blocks;
    try (MountedImage mount = MountedImage.mountBy(limited, mountpoint);
        FileChannel disk = open(mount)) {
      blocks = fill(disk, "File too large");
      disk.write(block(200), 0);
      disk.force(true);
    }
    QemuImg.on(image, "check", "-q", image);
    try (MountedImage mount = MountedImage.mount(image, "rw");
        FileChannel disk = open(mount)) {
      DiskBytes.assertHolds(mount.disk(), 0, block(200).array());
      assertFilled(mount.disk(), 1, blocks);
      disk.write(block(1), SIZE - BLOCK);
    }
    QemuImg.on(image, "check", "-q", image);
    TestDirectory.delete(mountpoint);
  }
}
