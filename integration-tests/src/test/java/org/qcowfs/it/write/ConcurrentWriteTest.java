package org.qcowfs.it.write;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.qcowfs.it.kit.DiskFile;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.Seed;
import org.qcowfs.it.kit.TestDirectory;

/** Eight programs write at once, to the same clusters: nobody's bytes are lost or mixed up. */
@NeedsMounts
final class ConcurrentWriteTest {
  private static final int DISK_BYTES = 8 << 20;
  private static final int SECTORS = DISK_BYTES / Stamps.SECTOR_BYTES;
  private static final int WRITES_OF_EACH = 150;
  private static final int MOST_SECTORS = 400;
  private static final int PAGE_BYTES = 4096;
  private static final int CLUSTER_BYTES = 64 << 10;
  private static final int PIECES = CLUSTER_BYTES / Stamps.SECTOR_BYTES;

  private final Path directory = TestDirectory.create("crowd");
  private final Path image = directory.resolve("vm.qcow2");

  enum Shape {
    EMPTY,
    TINY_CLUSTERS,
    EXTENDED_L2,
    BACKING,
    COMPRESSED,
    SNAPSHOT,
    DATA_FILE,
    ZEROES
  }

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
  }

  @ParameterizedTest
  @CsvSource({
    "EMPTY, writeback",
    "TINY_CLUSTERS, writeback",
    "EXTENDED_L2, none",
    "BACKING, writeback",
    "COMPRESSED, none",
    "SNAPSHOT, unsafe",
    "SNAPSHOT, directsync",
    "DATA_FILE, none",
    "ZEROES, volatile"
  })
  void eachSectorIsFromOneOfTheLastWritesToIt(Shape shape, String mode) throws Exception {
    Path before = create(shape);
    Stamps stamps = new Stamps();
    try (MountedImage mount = MountedImage.mount(image, "rw", "cache=" + mode)) {
      Crowd.run(
          thread -> {
            SplittableRandom random = Seed.random("crowd " + shape + thread);
            int flags = thread % 2 == 0 ? DiskFile.PLAIN : DiskFile.DIRECT;
            ByteBuffer buffer = aligned(MOST_SECTORS * Stamps.SECTOR_BYTES);
            try (DiskFile disk = DiskFile.open(mount.disk(), flags)) {
              for (int i = 0; i < WRITES_OF_EACH; i++) {
                int sectors = 1 + random.nextInt(random.nextInt(1, MOST_SECTORS));
                stamps.write(disk::write, buffer, random.nextInt(SECTORS - sectors), sectors);
                if (random.nextInt(16) == 0) {
                  disk.fdatasync();
                }
              }
            }
          });
    }

    assertThat(stamps.count()).isEqualTo(Crowd.THREADS * WRITES_OF_EACH);
    QemuImg.on(image, "check", "-q", image);
    Path now = QemuImg.toRaw(image);
    stamps.assertHeldBy(now, before);
    assertMountShows(now);
  }

  /** All of them begin with a cluster at the same time, each with its own sectors. */
  @ParameterizedTest
  @EnumSource
  void sectorsOfOneClusterWrittenAtOnceAreAllKept(Shape shape) throws Exception {
    Path before = create(shape);
    Stamps stamps = new Stamps();
    CyclicBarrier barrier = new CyclicBarrier(Crowd.THREADS);
    try (MountedImage mount = MountedImage.mount(image, "rw")) {
      Crowd.run(
          thread -> {
            ByteBuffer buffer = aligned(Stamps.SECTOR_BYTES);
            try (DiskFile disk = DiskFile.open(mount.disk(), DiskFile.DIRECT)) {
              for (int first = 0; first < SECTORS; first += 8 * PIECES) {
                var unused = barrier.await(1, TimeUnit.MINUTES);
                for (int piece = thread; piece < PIECES; piece += Crowd.THREADS) {
                  stamps.write(disk::write, buffer, first + PIECES - 1 - piece, 1);
                }
              }
            }
          });
    }

    QemuImg.on(image, "check", "-q", image);
    stamps.assertHeldBy(QemuImg.toRaw(image), before);
  }

  /**
   * The kernel hands pages of a mapping that do not follow each other to the mount as requests of
   * their own, many at a time; writes by {@code write(2)} to one file it may put in a row.
   */
  @ParameterizedTest
  @EnumSource
  void pagesOfOneClusterWrittenBackAtOnceAreAllKept(Shape shape) throws Exception {
    Path before = create(shape);
    Stamps stamps = new Stamps();
    int sectors = PAGE_BYTES / Stamps.SECTOR_BYTES;
    byte[] bytes = new byte[PAGE_BYTES];
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    try (MountedImage mount = MountedImage.mount(image, "rw");
        DiskFile disk = DiskFile.open(mount.disk(), DiskFile.PLAIN);
        DiskFile.Mapping mapping = disk.map(0, DISK_BYTES)) {
      for (int remainder = 0; remainder < 3; remainder++) {
        for (int page = remainder; page < DISK_BYTES / PAGE_BYTES; page += 3) {
          stamps.write(
              (stamped, offset) -> mapping.put(bytes, offset),
              buffer,
              (long) page * sectors,
              sectors);
        }
        mapping.msync();
      }
    }

    QemuImg.on(image, "check", "-q", image);
    stamps.assertHeldBy(QemuImg.toRaw(image), before);
  }

  private void assertMountShows(Path expected) {
    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      QemuImg.on(image, "compare", "-f", "raw", "-F", "raw", mount.disk(), expected);
    }
  }

  private static ByteBuffer aligned(int bytes) {
    return ByteBuffer.allocateDirect(bytes + 2 * PAGE_BYTES).alignedSlice(PAGE_BYTES);
  }

  /** Makes the image; returns what its disk holds. */
  private Path create(Shape shape) {
    switch (shape) {
      case EMPTY -> QemuImg.create(image, "", DISK_BYTES);
      case TINY_CLUSTERS -> QemuImg.create(image, "cluster_size=512,refcount_bits=64", DISK_BYTES);
      case EXTENDED_L2 -> fill().run(QemuImg.create(image, "extended_l2=on", DISK_BYTES));
      case DATA_FILE -> fill().run(QemuImg.create(image, "data_file=vm.data", DISK_BYTES));
      case BACKING -> {
        Path base = QemuImg.createRaw(directory.resolve("base.raw"), DISK_BYTES);
        fill().runRaw(base);
        QemuImg.createOverlay(image, "base.raw", "raw");
      }
      case COMPRESSED -> {
        Path base = QemuImg.createRaw(directory.resolve("source.raw"), DISK_BYTES);
        fill().runRaw(base);
        QemuImg.on(image, "convert", "-c", "-f", "raw", "-O", "qcow2", base, image);
      }
      case SNAPSHOT -> {
        fill().run(QemuImg.create(image, "", DISK_BYTES));
        QemuImg.snapshot(image, "before");
      }
      case ZEROES ->
          fill().writeZeroes(0, DISK_BYTES / 2).run(QemuImg.create(image, "", DISK_BYTES));
    }
    Path raw = QemuImg.toRaw(image);
    Path before = directory.resolve("before.raw");
    assertThat(raw.toFile().renameTo(before.toFile())).isTrue();
    return before;
  }

  /** Data in most places, holes in some. */
  private static QemuIo fill() {
    QemuIo io = new QemuIo();
    for (int offset = 0; offset < DISK_BYTES; offset += 1 << 18) {
      io.write(1 + (offset >> 18), offset, 200 << 10);
    }
    return io;
  }
}
