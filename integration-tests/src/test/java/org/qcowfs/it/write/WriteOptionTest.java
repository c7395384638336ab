package org.qcowfs.it.write;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.Marked;
import org.qcowfs.it.kit.MountTable;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.TestDirectory;

/** What the options of writing do to the image and to the space that it takes. */
@NeedsMounts
final class WriteOptionTest {
  private static final int MIB = 1 << 20;
  private static final long SIZE = 64 * MIB;

  private final Path directory = TestDirectory.create("options");
  private final Path image = directory.resolve("vm.qcow2");
  private final Path mountpoint = TestDirectory.create("mnt");

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
    TestDirectory.delete(mountpoint);
  }

  private static void write(Path disk, int value, long offset, int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes);
    while (buffer.hasRemaining()) {
      buffer.put((byte) value);
    }
    try (FileChannel channel = FileChannel.open(disk, StandardOpenOption.WRITE)) {
      channel.write(buffer.flip(), offset);
      channel.force(true);
    }
  }

  private boolean lazy() {
    return QemuImg.info(image).at("/format-specific/data/lazy-refcounts").booleanValue();
  }

  @Test
  void lazyRefcountsAreWrittenIntoTheImageWithTheFirstWrite() throws IOException {
    QemuImg.create(image, "", SIZE);
    String before = DiskBytes.sha256(image);

    try (MountedImage mount = MountedImage.mount(image, "rw", "lazy_refcounts=on")) {
      assertThat(Files.size(mount.disk())).isEqualTo(SIZE);
    }
    assertThat(DiskBytes.sha256(image)).isEqualTo(before);
    try (MountedImage mount = MountedImage.mount(image, "rw", "lazy_refcounts=on")) {
      write(mount.disk(), 1, 0, MIB);
    }
    assertThat(lazy()).isTrue();
    QemuImg.on(image, "check", "-q", image);
    try (MountedImage mount = MountedImage.mount(image, "rw", "lazy_refcounts=off")) {
      write(mount.disk(), 2, 0, MIB);
    }
    assertThat(lazy()).isFalse();
    QemuImg.on(image, "check", "-q", image);
  }

  @Test
  void anImageWhoseLazyMountWasKilledIsRepairedByTheNext() throws IOException {
    QemuImg.create(image, "", SIZE);
    Marked mark = new Marked();
    mark.mark(Qcowfs.mountCommand(image, mountpoint, "rw", "lazy_refcounts=on")).run().succeeded();
    try {
      write(mountpoint.resolve("disk.raw"), 7, 5 * MIB, MIB);
    } finally {
      mark.kill();
      MountTable.clearDownTo(List.of(), mountpoint);
    }
    assertThat(Command.of("qemu-img", "check", "-q", image).run().exitCode()).isNotZero();

    try (MountedImage mount = MountedImage.mount(image, "rw")) {
      byte[] expected = new byte[MIB];
      Arrays.fill(expected, (byte) 7);
      DiskBytes.assertHolds(mount.disk(), 5 * MIB, expected);
    }

    QemuImg.on(image, "check", "-q", image);
    assertThat(lazy()).isTrue();
  }

  @Test
  void anImageOfVersionTwoIsRefusedLazyRefcounts() {
    QemuImg.create(image, "compat=0.10", SIZE);

    assertThat(Qcowfs.mountRefused(image, mountpoint, "rw", "lazy_refcounts=on"))
        .contains("lazy")
        .contains("version 2");
  }

  @Test
  void aSmallRefcountCacheIsEnough() throws IOException {
    QemuImg.create(image, "cluster_size=512,refcount_bits=64", SIZE);

    try (MountedImage mount = MountedImage.mount(image, "rw", "refcount_cache_size=64K")) {
      write(mount.disk(), 3, 0, 16 * MIB);
      Command.of("fallocate", "-p", "-o", 0, "-l", 12 * MIB, mount.disk()).run().succeeded();
    }

    QemuImg.on(image, "check", "-q", image);
  }

  private long hostKib() {
    String used = Command.of("du", "-k", image).run().succeeded().stdout();
    return Long.parseLong(used.substring(0, used.indexOf('\t')));
  }

  @ParameterizedTest
  @ValueSource(strings = {"unmap", "ignore"})
  void aPunchedHoleGivesItsSpaceBackUnlessDiscardsAreIgnored(String discard) throws IOException {
    QemuImg.create(image, "", SIZE);
    long mounted;
    try (MountedImage mount = MountedImage.mount(image, "rw", "discard=" + discard)) {
      write(mount.disk(), 9, 0, 32 * MIB);
      long before = hostKib();
      Command.of("fallocate", "-p", "-o", 0, "-l", 24 * MIB, mount.disk()).run().succeeded();
      Command.of("sync", mount.disk()).run().succeeded();
      mounted = before - hostKib();
      DiskBytes.assertHolds(mount.disk(), 0, new byte[24 * MIB]);
    }

    if (discard.equals("unmap")) {
      assertThat(mounted).isGreaterThan(23 * 1024);
    } else {
      assertThat(mounted).isLessThan(1024);
    }
    QemuImg.on(image, "check", "-q", image);
    try (MountedImage mount = MountedImage.mount(image)) {
      DiskBytes.assertHolds(mount.disk(), 0, new byte[24 * MIB]);
    }
  }
}
