package org.qcowfs.it.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.Seed;
import org.qcowfs.it.kit.TestDirectory;

/** Many readers at once, and a daemon with little memory: every byte of every read is right. */
@NeedsMounts
@Tag("slow")
final class ConcurrentReadTest {
  private static final long SECONDS = Long.getLong("qcowfs.it.readSeconds", 10);
  private static final int THREADS = 16;
  private static final int LARGEST_READ = 1 << 20;

  /** The kernel forgets what it read of a file when the file is opened anew. */
  private static final int READS_PER_OPEN = 20;

  private static final long VIRTUAL_BYTES = 192 << 20;

  private final Path directory = TestDirectory.create("concurrent");

  @Test
  void sixteenThreadsReadRandomRangesRight() throws Exception {
    Path image = createImage();
    Path expected = QemuImg.toRaw(image);
    Path mountpoint = TestDirectory.create("mnt");
    var mountCommand =
        Qcowfs.mountCommand(image, mountpoint, "ro").env("QCOWFS_JAVA_OPTS", "-Xmx128m");
    try (MountedImage mount = MountedImage.mountBy(mountCommand, mountpoint)) {
      long reads = readFromAllThreads(mount.disk(), expected);
      System.out.printf("%d threads made %d reads in %d s, all right%n", THREADS, reads, SECONDS);
      assertThat(reads).isPositive();
    }
  }

  private static long readFromAllThreads(Path actual, Path expected) throws Exception {
    long end = System.nanoTime() + Duration.ofSeconds(SECONDS).toNanos();
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<Long>> readers = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        SplittableRandom random = Seed.random("reader " + i);
        readers.add(pool.submit(() -> readUntil(end, actual, expected, random)));
      }
      long reads = 0;
      for (Future<Long> reader : readers) {
        reads += reader.get(SECONDS + 120, TimeUnit.SECONDS);
      }
      return reads;
    } finally {
      pool.shutdownNow();
    }
  }

  private static long readUntil(long end, Path actual, Path expected, SplittableRandom random)
      throws Exception {
    ByteBuffer read = ByteBuffer.allocateDirect(LARGEST_READ);
    ByteBuffer wanted = ByteBuffer.allocateDirect(LARGEST_READ);
    long reads = 0;
    try (FileChannel theirs = FileChannel.open(expected)) {
      while (System.nanoTime() < end) {
        try (FileChannel ours = FileChannel.open(actual)) {
          for (int i = 0; i < READS_PER_OPEN; i++, reads++) {
            int length = 1 + random.nextInt(1 << random.nextInt(21));
            long offset = random.nextLong(VIRTUAL_BYTES - length);
            DiskBytes.fill(ours, read.clear().limit(length), offset);
            DiskBytes.fill(theirs, wanted.clear().limit(length), offset);
            DiskBytes.assertEqual(actual, read.flip(), wanted.flip(), offset);
          }
        }
      }
    }
    return reads;
  }

  /** An overlay with data, zeroes and holes, on a backing file of compressed clusters. */
  private Path createImage() {
    Path base = directory.resolve("base.qcow2");
    Path raw = directory.resolve("base.raw");
    QemuImg.createRaw(raw, VIRTUAL_BYTES);
    fill(Seed.random("base")).runRaw(raw);
    QemuImg.on(base, "convert", "-c", "-f", "raw", "-O", "qcow2", raw, base);
    Path image = QemuImg.createOverlay(directory.resolve("top.qcow2"), "base.qcow2", "qcow2");
    fill(Seed.random("top")).writeZeroes(3 << 20, 5 << 20).run(image);
    return image;
  }

  private static QemuIo fill(SplittableRandom random) {
    QemuIo io = new QemuIo();
    for (int i = 0; i < 400; i++) {
      int length = 512 * (1 + random.nextInt(600));
      long offset = random.nextLong((VIRTUAL_BYTES - length) / 512) * 512;
      io.write(1 + random.nextInt(255), offset, length);
    }
    return io;
  }
}
