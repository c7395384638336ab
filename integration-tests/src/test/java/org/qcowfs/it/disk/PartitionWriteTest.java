package org.qcowfs.it.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Accelerator;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.Seed;
import org.qcowfs.it.kit.TestDirectory;

/**
 * The disk and its partitions are one: what is written through either is read through the other.
 */
@NeedsMounts
@Accelerator.BothWays
final class PartitionWriteTest {
  private static final int SIZE = 64 << 20;
  private static final int START = 1 << 20;
  private static final int LENGTH = 24 << 20;
  private static final int PAGE = 4096;
  private static final int SHARED_PAGES = 4;
  private static final String TABLE = "start=1MiB, size=24MiB\nstart=32MiB, size=16MiB\n";

  private static final String MAPPING_PROGRAM =
      """
      import mmap, os, sys
      disk, part = (os.open(name, os.O_RDWR) for name in sys.argv[1:3])
      pages = mmap.mmap(disk, 65536, mmap.MAP_SHARED, offset=int(sys.argv[3]))
      for i in range(200):
          at = i * 257
          pages[at] = i + 1
          seen = os.pread(part, 1, at)[0]
          assert seen == i + 1, (i, seen)
          os.pwrite(part, bytes([i + 2]), at + 1)
          assert (pages[at], pages[at + 1]) == (i + 1, i + 2), (i, pages[at], pages[at + 1])
      """;

  private final Path directory = TestDirectory.create("partitions");
  private final Path image = QemuImg.create(directory.resolve("vm.qcow2"), "", SIZE);

  @AfterEach
  void checkAndDelete() {
    QemuImg.on(image, "check", "-q", image);
    TestDirectory.delete(directory);
  }

  private void partition(Path disk, String label, String table) throws IOException {
    Path script = Files.writeString(directory.resolve("table"), "label: " + label + "\n" + table);
    Command.of("sh", "-c", "sfdisk -q --wipe never %s < %s".formatted(disk, script))
        .run()
        .succeeded();
  }

  private MountedImage mountPartitioned(String... options) throws IOException {
    MountedImage mount = MountedImage.mount(image, options);
    partition(mount.disk(), "gpt", TABLE);
    return mount;
  }

  private static Path first(MountedImage mount) {
    return mount.file("partitions/1.raw");
  }

  private static FileChannel open(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static void write(FileChannel file, byte[] bytes, long offset) throws IOException {
    assertThat(file.write(ByteBuffer.wrap(bytes), offset)).isEqualTo(bytes.length);
  }

  private static byte[] read(FileChannel file, int length, long offset) throws IOException {
    return DiskBytes.fill(file, ByteBuffer.allocate(length), offset).array();
  }

  private static byte[] random(SplittableRandom random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(strings = {"writeback", "none", "unsafe"})
  void alternateWritesAreSeenThroughBothByWhoHasThemOpen(String mode) throws IOException {
    SplittableRandom random = Seed.random("alternate" + mode);
    try (MountedImage mount = mountPartitioned("cache=" + mode);
        FileChannel disk = open(mount.disk());
        FileChannel part = open(first(mount))) {
      byte[] model = new byte[LENGTH];
      for (int i = 0; i < 400; i++) {
        int length = 1 + random.nextInt(1 << (1 + random.nextInt(17)));
        int offset = random.nextInt(1 << 20) + random.nextInt(2) * (LENGTH - (2 << 20));
        byte[] bytes = random(random, length);
        boolean whole = random.nextBoolean();
        write(whole ? disk : part, bytes, whole ? START + offset : offset);
        System.arraycopy(bytes, 0, model, offset, length);
        int from = Math.max(0, offset - random.nextInt(2 * PAGE));
        int count = Math.min(length + 3 * PAGE, LENGTH - from);
        ByteBuffer expected = ByteBuffer.wrap(model, from, count).slice();
        ByteBuffer seen = ByteBuffer.wrap(read(disk, count, START + from));
        DiskBytes.assertEqual(mount.disk(), seen, expected, START + from);
        seen = ByteBuffer.wrap(read(part, count, from));
        DiskBytes.assertEqual(first(mount), seen, expected, from);
      }
    }
  }

  @Test
  void holesAndZerosAreSeenThroughTheOther() throws IOException {
    try (MountedImage mount = mountPartitioned("rw");
        FileChannel disk = open(mount.disk());
        FileChannel part = open(first(mount))) {
      byte[] bytes = random(Seed.random("holes"), 1 << 20);
      write(part, bytes, 0);
      assertThat(read(disk, bytes.length, START)).isEqualTo(bytes);
      Command.of("fallocate", "-p", "-o", 10_000, "-l", 100_000, first(mount)).run().succeeded();
      assertThat(read(disk, 100_000, START + 10_000)).containsOnly(0);
      assertThat(read(disk, 10_000, START)).isEqualTo(java.util.Arrays.copyOf(bytes, 10_000));
      Command.of("fallocate", "-z", "-o", START + 200_000, "-l", 5000, mount.disk())
          .run()
          .succeeded();
      assertThat(read(part, 5000, 200_000)).containsOnly(0);
      assertThat(read(part, 1, 205_000)).containsExactly(bytes[205_000]);
    }
  }

  /** In a program of its own, as Java would keep the mapping, and the mount busy, until later. */
  @Test
  void mappingsOfTheDiskSeeThePartitionAndAreSeenThroughIt() throws IOException {
    try (MountedImage mount = mountPartitioned("rw")) {
      Path script = Files.writeString(directory.resolve("map.py"), MAPPING_PROGRAM);
      Command.of("python3", script, mount.disk(), first(mount), START).run().succeeded();
    }
  }

  @Test
  void theSizeIsFixed() throws IOException {
    try (MountedImage mount = mountPartitioned("rw", "allow_shrink");
        FileChannel part = open(first(mount))) {
      Path file = first(mount);
      for (String size : List.of("0", "1M", "25M")) {
        assertThat(Command.of("truncate", "-s", size, file).run().exited(1).stderr())
            .contains("Operation not permitted");
      }
      assertThat(part.write(ByteBuffer.allocate(3 * PAGE), LENGTH - PAGE)).isEqualTo(PAGE);
      assertThatIOException()
          .isThrownBy(() -> part.write(ByteBuffer.allocate(1), LENGTH))
          .withMessageContaining("No space left");
      assertThat(Command.of("fallocate", "-l", "25M", file).run().exited(1).stderr())
          .contains("No space left");
      assertThat(Files.size(file)).isEqualTo(LENGTH);
    }
  }

  @Test
  void aMovedPartitionIsNotWrittenThroughItsOldWindow() throws IOException {
    try (MountedImage mount = mountPartitioned("rw");
        FileChannel disk = open(mount.disk());
        FileChannel part = open(first(mount))) {
      write(part, new byte[] {1}, 0);
      partition(mount.disk(), "gpt", "start=2MiB, size=24MiB\n");
      byte[] before = read(disk, 2 << 20, START);

      assertThatIOException()
          .isThrownBy(() -> part.write(ByteBuffer.allocate(PAGE), 0))
          .withMessageContaining("Stale file handle");
      assertThatIOException().isThrownBy(() -> part.read(ByteBuffer.allocate(PAGE), 0));
      part.force(true);

      assertThat(read(disk, 2 << 20, START)).isEqualTo(before);
      assertThat(mount.file("partitions").toFile().list()).containsExactly("1.raw");
      try (FileChannel now = open(first(mount))) {
        write(now, new byte[] {9, 9}, 0);
        assertThat(read(disk, 2, 2 << 20)).containsExactly(9, 9);
      }
    }
  }

  @Test
  void aFileSystemIsMadeInAPartitionAndLoopMounted() throws IOException {
    Path files = TestDirectory.create("files");
    try (MountedImage mount = MountedImage.mount(image, "rw")) {
      partition(mount.disk(), "dos", TABLE);
      Command.of("sgdisk", "-g", mount.disk()).run().succeeded();
      Command.of("mkfs.ext4", "-q", "-F", first(mount)).run().succeeded();
      Command.of("mount", "-o", "loop", first(mount), files).run().succeeded();
      try {
        Command.of("cp", "-r", "/etc/default", files).run().succeeded();
      } finally {
        Command.of("umount", files).run().succeeded();
      }
      Command.of("e2fsck", "-fn", first(mount)).run().succeeded();
      Command.of("mount", "-o", "ro,loop,offset=" + START, mount.disk(), files).run().succeeded();
      try {
        Command.of("diff", "-r", "/etc/default", files.resolve("default")).run().succeeded();
      } finally {
        Command.of("umount", files).run().succeeded();
      }
    }
    Path raw = QemuImg.toRaw(image);
    Path slice = directory.resolve("slice");
    Command.of("dd", "if=" + raw, "of=" + slice, "bs=1M", "skip=1", "count=24", "status=none")
        .run()
        .succeeded();
    Command.of("e2fsck", "-fn", slice).run().succeeded();
    TestDirectory.delete(files);
  }

  /** All at once on the same pages, with one thread for requests: whoever waits must not starve. */
  @ParameterizedTest
  @ValueSource(strings = {"threads=1", "threads=4"})
  void readersAndWritersOfBothNeitherHangNorSeeWhatNobodyWrote(String threads) throws Exception {
    ExecutorService programs = Executors.newCachedThreadPool();
    AtomicBoolean done = new AtomicBoolean();
    try (MountedImage mount = mountPartitioned("rw", threads)) {
      List<Future<?>> ends = new ArrayList<>();
      List<Future<?>> readers = new ArrayList<>();
      for (int reader = 0; reader < 2; reader++) {
        readers.add(programs.submit(() -> readPages(mount.disk(), done)));
      }
      for (int program = 0; program < 8; program++) {
        boolean whole = program % 2 == 0;
        int own = 1 + program;
        ends.add(
            programs.submit(
                () -> {
                  runProgram(whole ? mount.disk() : first(mount), whole ? START : 0, own);
                  return null;
                }));
      }
      for (Future<?> end : ends) {
        end.get();
      }
      done.set(true);
      for (Future<?> end : readers) {
        end.get();
      }
    } finally {
      done.set(true);
      programs.shutdownNow();
    }
  }

  /** Has the kernel keep the pages again that it was made to forget. */
  private static Void readPages(Path disk, AtomicBoolean done) throws IOException {
    SplittableRandom random = Seed.random("reader");
    try (FileChannel channel = FileChannel.open(disk)) {
      while (!done.get()) {
        read(channel, PAGE, START + (long) random.nextInt(SHARED_PAGES) * PAGE);
      }
    }
    return null;
  }

  /** Writes its own sectors and reads them back, each page being shared by all programs. */
  private static void runProgram(Path file, long start, int own) throws IOException {
    SplittableRandom random = Seed.random("program" + own);
    try (FileChannel channel = open(file)) {
      byte[] sector = new byte[512];
      for (int round = 0; round < 3000; round++) {
        int page = random.nextInt(SHARED_PAGES);
        long offset = start + (long) page * PAGE + (own - 1) * 512L;
        random.nextBytes(sector);
        write(channel, sector, offset);
        ByteBuffer seen = ByteBuffer.wrap(read(channel, 512, offset));
        DiskBytes.assertEqual(file, seen, ByteBuffer.wrap(sector), offset);
      }
    }
  }
}
