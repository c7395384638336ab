package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.testkit.DiskContents;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SnapshotSpec;

/** Many threads, one image, and less cache than they would like. */
@Timeout(120)
final class ConcurrentReadTest {
  private static final int THREADS = 8;
  private static final int READS = 400;
  private static final int CLUSTERS = 2000;
  private static final int CLUSTER = 4096;

  @TempDir private Path directory;

  private static byte[] content(int seed) {
    byte[] content = new byte[CLUSTER];
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < CLUSTER; i++) {
      content[i] = (byte) (random.nextInt(8) == 0 ? random.nextInt() : seed);
    }
    return content;
  }

  private static void fill(DiskContents disk, int seed) {
    for (int cluster = 0; cluster < CLUSTERS; cluster++) {
      if (cluster % 3 == 0) {
        disk.compressed(cluster, content(seed + cluster));
      } else {
        disk.data(cluster, content(seed + cluster));
      }
    }
  }

  @Test
  void everyThreadReadsTheRightBytesOfDiskAndSnapshot() throws Exception {
    long size = (long) CLUSTERS * CLUSTER;
    ImageBuilder builder = new ImageBuilder(3, 12).virtualSize(size).zstd();
    fill(builder.disk(), 1);
    DiskContents snapshot = builder.snapshot(SnapshotSpec.of("1", "s", size));
    fill(snapshot, 77_777);
    Path file = builder.build().writeTo(directory.resolve("top.qcow2"));
    byte[] model = builder.disk().expected(new byte[0]);
    byte[] snapshotModel = snapshot.expected(new byte[0]);
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    try (Image image = Images.open(file, OpenOptions.defaults().withL2CacheBytes(1))) {
      BlockDevice old = image.openSnapshot(image.snapshots().get(0));
      CyclicBarrier start = new CyclicBarrier(THREADS);
      List<Future<Integer>> wrong = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        BlockDevice device = thread % 2 == 0 ? image.disk() : old;
        byte[] expected = thread % 2 == 0 ? model : snapshotModel;
        int seed = thread / 2; // two threads each want the same clusters at the same time
        wrong.add(
            pool.submit(
                () -> {
                  start.await();
                  return countWrongReads(device, expected, seed);
                }));
      }
      for (Future<Integer> count : wrong) {
        assertThat(count.get()).isZero();
      }
    } finally {
      pool.shutdownNow();
    }
  }

  private static int countWrongReads(BlockDevice device, byte[] expected, int seed)
      throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    ByteBuffer buffer = ByteBuffer.allocateDirect(64 << 10);
    int wrong = 0;
    for (int i = 0; i < READS; i++) {
      int length = random.nextInt(1, buffer.capacity());
      int offset = random.nextInt(expected.length - length);
      device.read(buffer.clear().limit(length), offset);
      if (!buffer.flip().equals(ByteBuffer.wrap(expected, offset, length))) {
        wrong++;
      }
    }
    return wrong;
  }
}
