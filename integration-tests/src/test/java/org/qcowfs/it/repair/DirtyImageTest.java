package org.qcowfs.it.repair;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.ImageEditor;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.TestDirectory;

/**
 * QEMU leaves an image with the dirty bit when it ends without closing it. A mount that writes
 * counts the references anew; QEMU then finds nothing wrong, and every disk is as it was.
 */
@NeedsMounts
final class DirtyImageTest {
  private static final int MIB = 1 << 20;
  private static final long SIZE = 16 * MIB;
  private static final long DIRTY = 1;
  private static final long COPIED = 1L << 63;

  private final Path directory = TestDirectory.create("dirty");
  private final Path image = directory.resolve("vm.qcow2");
  private final Path mountpoint = TestDirectory.create("mnt");

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
    TestDirectory.delete(mountpoint);
  }

  /** Lets QEMU write and end as if it had crashed. */
  private void crash(String... commands) {
    List<String> arguments = new ArrayList<>();
    for (String command : commands) {
      arguments.addAll(List.of("-c", command));
    }
    arguments.addAll(List.of("-c", "flush", "-c", "abort", image.toString()));
    Command.of("qemu-io", "-f", "qcow2").with(arguments).in(directory).run();
    assertThat(isDirty()).as("QEMU left the dirty bit").isTrue();
  }

  private boolean isDirty() {
    boolean[] dirty = new boolean[1];
    ImageEditor.edit(
        image, file -> dirty[0] = (file.get64(ImageEditor.INCOMPATIBLE_FEATURES) & DIRTY) != 0);
    return dirty[0];
  }

  /** QEMU may have written some refcounts before it ended; now none is right. */
  private void forgetRefcounts() {
    ImageEditor.edit(
        image,
        file -> {
          long table = file.get64(ImageEditor.REFCOUNT_TABLE_OFFSET);
          int clusterBytes = 1 << file.get32(ImageEditor.CLUSTER_BITS);
          for (long at = table; file.get64(at) != 0; at += Long.BYTES) {
            file.put(file.get64(at), new byte[clusterBytes]);
          }
        });
  }

  /** Mounts for writing, which repairs, and asserts that QEMU finds the image clean. */
  private void repair(String... options) {
    List<String> all = new ArrayList<>(List.of("rw"));
    all.addAll(Arrays.asList(options));
    try (MountedImage mount = MountedImage.mount(image, all.toArray(String[]::new))) {
      assertThat(mount.disk()).exists();
    }
    QemuImg.on(image, "check", image);
    assertThat(isDirty()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=64k",
        "cluster_size=512,refcount_bits=64",
        "cluster_size=4k,refcount_bits=2",
        "cluster_size=16k,extended_l2=on",
        "cluster_size=2M"
      })
  void anImageWithSnapshotsIsRepairedAndEveryDiskIsAsItWas(String options) throws IOException {
    QemuImg.create(image, options + ",lazy_refcounts=on", SIZE);
    new QemuIo().write(1, 0, 3 * MIB).write(2, 5 * MIB, MIB).run(image);
    QemuImg.snapshot(image, "one");
    new QemuIo().write(3, MIB, MIB).writeZeroesAndUnmap(2 * MIB, MIB / 2).run(image);
    QemuImg.snapshot(image, "two");
    crash("write -P 4 2M 2M", "write -P 5 9M 1M", "discard 5M 512k", "write -z 10M 1M");
    Path disk = QemuImg.toRaw(image);
    Path one = QemuImg.snapshotToRaw(image, "one");
    Path two = QemuImg.snapshotToRaw(image, "two");
    forgetRefcounts();
    assertThat(Command.of("qemu-img", "check", "-q", image).run().exitCode()).isEqualTo(2);

    repair();

    try (MountedImage mount = MountedImage.mount(image)) {
      DiskBytes.assertSame(mount.disk(), disk);
      DiskBytes.assertSame(mount.snapshotDisk("one"), one);
      DiskBytes.assertSame(mount.snapshotDisk("two"), two);
    }
    QemuImg.assertIdentical(disk, image);
    DiskBytes.assertSame(QemuImg.snapshotToRaw(image, "one"), one);
  }

  @Test
  void whatIsWrittenAfterTheRepairDoesNotShowInTheSnapshots() throws IOException {
    QemuImg.create(image, "lazy_refcounts=on", SIZE);
    new QemuIo().write(1, 0, 4 * MIB).run(image);
    QemuImg.snapshot(image, "one");
    crash("write -P 2 0 1M");
    Path one = QemuImg.snapshotToRaw(image, "one");

    try (MountedImage mount = MountedImage.mount(image, "rw")) {
      Command.of("dd", "if=/dev/urandom", "of=" + mount.disk(), "bs=64k", "count=64")
          .with(List.of("conv=notrunc,fsync"))
          .run()
          .succeeded();
    }

    QemuImg.on(image, "check", image);
    try (MountedImage mount = MountedImage.mount(image)) {
      DiskBytes.assertSame(mount.snapshotDisk("one"), one);
    }
  }

  @Test
  void bitmapsStayWithWhatTheySay() {
    QemuImg.create(image, "lazy_refcounts=on", SIZE);
    QemuImg.on(image, "bitmap", "--add", image, "backup");
    new QemuIo().write(1, 0, 2 * MIB).run(image);
    // QEMU notes the bitmap as in use as soon as it writes.
    crash("write -P 2 4M 1M");

    repair("drop_bitmaps");

    assertThat(QemuImg.info(image).at("/format-specific/data/bitmaps/0/name").textValue())
        .isEqualTo("backup");
  }

  @Test
  void dataThatThePowerLossTookIsMadeRoomForAndNothingElseIsPutThere() throws IOException {
    QemuImg.create(image, "cluster_size=4k,lazy_refcounts=on", SIZE);
    crash("write -P 1 0 64k", "write -P 2 1M 64k");
    long cut = 8 * 4096;
    long length = Files.size(image);
    ImageEditor.edit(image, file -> file.truncate(length - cut));
    Path disk = directory.resolve("expected.raw");
    Command.of("qemu-img", "convert", "-U", "-f", "qcow2", "-O", "raw", image, disk)
        .run()
        .succeeded();

    repair();

    QemuImg.assertIdentical(disk, image);
  }

  @Test
  void anImageThatCannotBeCountedIsRefusedInOneLineAndStaysAsItIs() {
    QemuImg.create(image, "lazy_refcounts=on", SIZE);
    crash("write 0 1M");
    ImageEditor.edit(image, file -> file.put64(file.l2(0), COPIED | (1L << 45)));
    String before = DiskBytes.sha256(image);

    assertThat(Qcowfs.mountRefused(image, mountpoint, "rw"))
        .contains("dirty bit")
        .contains("L2 table")
        .contains("ro");
    assertThat(DiskBytes.sha256(image)).isEqualTo(before);
  }
}
