package org.qcowfs.it.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.MountTable;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;

/** A mount is taken out of the tree of files while a program still has one of its files open. */
@NeedsMounts
final class LazyUnmountTest {
  private static final int SECTORS = 200;

  @ParameterizedTest
  @CsvSource({"umount -l, writeback", "fusermount -u -z, volatile", "umount -l, unsafe"})
  void anOpenFileIsServedUntilItIsClosedAndThenTheImageIsFlushedAndFree(String command, String mode)
      throws IOException {
    try (CrashImage image = new CrashImage(CrashImage.Shape.PLAIN)) {
      try (MountedImage mount = MountedImage.mount(image.image(), "rw", "cache=" + mode)) {
        ProcessHandle daemon = mount.daemon();
        try (FileChannel disk = open(mount)) {
          write(disk, image.log(), 0);
          Command.of((Object[]) (command + " " + mount.mountpoint()).split(" ")).run().succeeded();
          assertThat(MountTable.isMounted(mount.mountpoint())).isFalse();

          write(disk, image.log(), 1);
          disk.force(true);
          write(disk, image.log(), 2);

          assertThat(disk.size()).isEqualTo((long) CrashImage.SECTORS * SectorLog.SECTOR_BYTES);
          assertThat(qemuWrites(image)).as("QEMU, while the file is open").isNotZero();
          assertThat(daemon.isAlive()).isTrue();
        }
        Command.awaitEnd(daemon);
        mount.wasEnded();
      }
      image.assertSound();
      assertThat(qemuWrites(image)).as("QEMU, afterwards").isZero();
    }
  }

  private static FileChannel open(MountedImage mount) throws IOException {
    return FileChannel.open(mount.disk(), StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static void write(FileChannel disk, SectorLog log, int place) throws IOException {
    int first = CrashImage.FIRST_PARTITION + place * 5000;
    SectorLog.Change change = log.begin(first, SECTORS, false).orElseThrow();
    assertThat(disk.write(change.contents(), change.offset())).isEqualTo((int) change.bytes());
    log.acknowledged(change, true);
    ByteBuffer read = ByteBuffer.allocate((int) change.bytes());
    assertThat(disk.read(read, change.offset())).isEqualTo((int) change.bytes());
    assertThat(read.flip()).isEqualTo(change.contents());
  }

  private static int qemuWrites(CrashImage image) {
    return Command.of("qemu-io", "-f", "qcow2", "-c", "write 0 512", image.image())
        .run()
        .exitCode();
  }
}
