package org.qcowfs.it.write;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskFile;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.TestDirectory;

/** Writes by O_DIRECT run side by side, and beside whoever uses the kernel's cache. */
@NeedsMounts
final class DirectWriteTest {
  private static final int SIZE = 256 << 20;
  private static final int PAGE = 4096;
  private static final String ON = "accelerate=on";

  private final Path directory = TestDirectory.create("direct");
  private final Path image = QemuImg.create(directory.resolve("vm.qcow2"), "", SIZE);

  @AfterEach
  void checkAndDelete() {
    QemuImg.on(image, "check", "-q", image);
    TestDirectory.delete(directory);
  }

  private static Command fio(Path file, Object... options) {
    return Command.of("fio", "--name=it", "--filename=" + file, "--output=/dev/null")
        .with(java.util.List.of(options));
  }

  @ParameterizedTest
  @ValueSource(strings = {"accelerate=on", "accelerate=off"})
  void manyWritesUnderWayAreAllReadBack(String accelerate) {
    try (MountedImage mount = MountedImage.mount(image, "rw", accelerate)) {
      fio(
              mount.disk(),
              "--ioengine=libaio",
              "--direct=1",
              "--iodepth=16",
              "--numjobs=4",
              "--size=32M",
              "--offset_increment=64M",
              "--rw=randwrite",
              "--bsrange=512-64k",
              "--bs_unaligned=0",
              "--verify=crc32c",
              "--verify_fatal=1",
              "--verify_state_save=0")
          .run()
          .succeeded();
    }
  }

  @Test
  void whoReadsThroughTheCacheSeesAWriteThatWentPastIt() throws Exception {
    try (MountedImage mount = MountedImage.mount(image, "rw", ON);
        DiskFile direct = DiskFile.open(mount.disk(), DiskFile.DIRECT);
        DiskFile cached = DiskFile.open(mount.disk(), DiskFile.PLAIN)) {
      AtomicBoolean done = new AtomicBoolean();
      ExecutorService readers = Executors.newFixedThreadPool(2);
      try {
        Runnable reading =
            () -> {
              while (!done.get()) {
                cached.read(0, PAGE);
              }
            };
        Future<?> one = readers.submit(reading);
        Future<?> other = readers.submit(reading);
        for (int i = 1; i <= 3000; i++) {
          byte[] page = new byte[PAGE];
          java.util.Arrays.fill(page, (byte) i);
          direct.write(page, 0);
          assertThat(cached.read(0, PAGE)).as("after write %d", i).isEqualTo(page);
        }
        done.set(true);
        one.get();
        other.get();
      } finally {
        done.set(true);
        readers.shutdown();
      }
    }
  }

  /** As many as the kernel would keep under way, each waiting for pages to be written out. */
  @Test
  void requestsOfAPartitionThatWaitForPagesOfTheDiskDoNotWaitForEachOther() throws Exception {
    Path disk = Files.writeString(directory.resolve("table"), "label: dos\n1MiB 128MiB\n");
    try (MountedImage mount = MountedImage.mount(image, "rw", ON)) {
      Command.of("sh", "-c", "sfdisk -q --wipe never %s < %s".formatted(mount.disk(), disk))
          .run()
          .succeeded();
      Path partition = mount.file("partitions/1.raw");
      AtomicBoolean done = new AtomicBoolean();
      ExecutorService guest = Executors.newSingleThreadExecutor();
      try (DiskFile file = DiskFile.open(mount.disk(), DiskFile.PLAIN);
          DiskFile.Mapping mapping = file.map(1 << 20, 1 << 20)) {
        Future<?> changing =
            guest.submit(
                () -> {
                  for (int i = 0; !done.get(); i++) {
                    mapping.put(new byte[] {(byte) i}, (1 << 20) + i % 256 * PAGE);
                  }
                });
        fio(
                partition,
                "--ioengine=libaio",
                "--direct=1",
                "--iodepth=64",
                "--size=1M",
                "--loops=20",
                "--rw=randrw",
                "--bs=4k")
            .run()
            .succeeded();
        done.set(true);
        changing.get();
      } finally {
        done.set(true);
        guest.shutdown();
      }
    }
  }

  /** The kernel knows pages only of files that it caches. Without O_DIRECT it is as ever. */
  @Test
  void aDescriptorWhoseWritesGoPastTheCacheCannotBeMappedShared() {
    try (MountedImage mount = MountedImage.mount(image, "rw", ON);
        DiskFile direct = DiskFile.open(mount.disk(), DiskFile.DIRECT)) {
      assertThatThrownBy(() -> direct.map(0, PAGE)).hasMessageContaining("No such device");
      try (DiskFile cached = DiskFile.open(mount.disk(), DiskFile.PLAIN)) {
        cached.writeMapped(new byte[] {1, 2, 3}, 0);
        assertThat(direct.read(0, 4)).containsExactly(1, 2, 3, 0);
      }
    }
    try (MountedImage mount = MountedImage.mount(image, "rw", "accelerate=off");
        DiskFile direct = DiskFile.open(mount.disk(), DiskFile.DIRECT)) {
      direct.map(0, PAGE).close();
    }
  }
}
