package org.qcowfs.it.matrix;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.qcowfs.it.kit.QemuIo;

/** Random guest I/O on one image, all carried out by one {@code qemu-io} process. */
final class FillPlan {
  private static final int SOURCE_BYTES = 300_007;

  private final Path source;
  private final long virtualBytes;
  private final int clusterBytes;
  private final SplittableRandom random;
  private final QemuIo io = new QemuIo();

  FillPlan(Path directory, long virtualBytes, int clusterBytes, SplittableRandom random) {
    this.virtualBytes = virtualBytes;
    this.clusterBytes = clusterBytes;
    this.random = random;
    this.source = source(directory);
  }

  /**
   * Compressed writes to some clusters, the last one among them. Only for a fresh image: QEMU does
   * not replace a cluster by a compressed one.
   */
  FillPlan compressed() {
    long clusters = (virtualBytes + clusterBytes - 1) / clusterBytes;
    long cluster = random.nextLong(3);
    for (int runs = 0; runs < 12 && cluster < clusters; runs++) {
      long count = Math.min(1 + random.nextLong(3), clusters - cluster);
      compress(cluster, count);
      cluster += count + random.nextLong(Math.max(2, clusters / 6));
    }
    if (cluster < clusters) {
      compress(clusters - 1, 1);
    }
    return this;
  }

  private void compress(long cluster, long count) {
    long offset = cluster * clusterBytes;
    io.writeCompressed(source, offset, Math.min(count * clusterBytes, virtualBytes - offset));
  }

  /** So many writes of data, of zeroes, and discards, of any alignment that a guest can have. */
  FillPlan ordinary(int count) {
    for (int i = 0; i < count; i++) {
      long offset = aligned(random.nextLong(virtualBytes));
      long length = Math.min(aligned(length()) + 512, virtualBytes - offset);
      switch (i % 7) {
        case 0, 3 -> io.write(1 + random.nextInt(255), offset, length);
        case 1, 5 -> io.writeFrom(source, offset, length);
        case 2 -> io.writeZeroes(offset, length);
        case 4 -> io.writeZeroesAndUnmap(offset, length);
        default -> io.discard(offset, length);
      }
    }
    return this;
  }

  /**
   * From a part of a cluster to a few clusters; whole clusters often, since they are a case of
   * their own.
   */
  private long length() {
    long some = 1 + random.nextLong(3L * clusterBytes);
    return Math.min(some, 3 << 20);
  }

  /** Some ranges begin at a cluster, the others at a sector. */
  private long aligned(long value) {
    int unit = random.nextInt(3) == 0 ? clusterBytes : 512;
    return value / unit * unit;
  }

  void run(Path image) {
    io.run(image);
  }

  void runRaw(Path image) {
    io.runRaw(image);
  }

  /** Bytes that compress to about half their size, so that compressed clusters end anywhere. */
  private Path source(Path directory) {
    Path file = directory.resolve("source.expected");
    byte[] bytes = new byte[SOURCE_BYTES];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) random.nextInt(16);
    }
    try {
      return Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
