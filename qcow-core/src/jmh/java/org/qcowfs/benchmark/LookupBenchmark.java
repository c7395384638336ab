package org.qcowfs.benchmark;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;
import org.jspecify.annotations.Nullable;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.Image;
import org.qcowfs.image.Images;
import org.qcowfs.image.OpenOptions;

/** Where a random cluster lies: with its L2 table in the cache (1 GiB), and mostly not (64 GiB). */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class LookupBenchmark {
  private static final int BLOCK_BYTES = 4096;
  private static final int OFFSETS = 1 << 16;

  /** Virtual size of the disk. */
  @Param({"1G", "64G"})
  public String size = "";

  private final long[] guestOffsets = new long[OFFSETS];
  private Path file = Path.of("");
  private @Nullable Image image;
  private @Nullable BlockDevice disk;
  private int next;

  @Setup(Level.Trial)
  public void open() throws IOException {
    file = ImageMaker.create("preallocation=metadata", size);
    image = Images.open(file, OpenOptions.defaults());
    disk = image.disk();
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < OFFSETS; i++) {
      guestOffsets[i] = random.nextLong(disk.size() / BLOCK_BYTES) * BLOCK_BYTES;
    }
  }

  @TearDown(Level.Trial)
  public void close() throws IOException {
    image.close();
    ImageMaker.delete(file);
  }

  @Benchmark
  public void lookup(Blackhole sink) throws IOException {
    next = (next + 1) % OFFSETS;
    disk.extents(guestOffsets[next], BLOCK_BYTES, sink::consume);
  }
}
