package org.qcowfs.benchmark;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.qcowfs.image.CacheMode;
import org.jspecify.annotations.Nullable;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.Image;
import org.qcowfs.image.Images;
import org.qcowfs.image.OpenOptions;
import org.qcowfs.image.WriteOptions;

/** Writes of 512 bytes, each of which allocates a cluster; nothing is flushed. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, batchSize = AllocationBenchmark.WRITES)
@Measurement(iterations = 10, batchSize = AllocationBenchmark.WRITES)
public class AllocationBenchmark {
  static final int WRITES = 10_000;

  private static final int SECTOR_BYTES = 512;
  private static final int CLUSTER_BYTES = 1 << 16;

  private final ByteBuffer sector = ByteBuffer.allocateDirect(SECTOR_BYTES).put(0, (byte) 1);
  private Path file = Path.of("");
  private @Nullable Image image;
  private @Nullable BlockDevice disk;
  private long guestOffset;

  @Setup(Level.Iteration)
  public void open() throws IOException {
    file = ImageMaker.create("cluster_size=" + CLUSTER_BYTES, "16G");
    WriteOptions write = new WriteOptions(CacheMode.VOLATILE, false, Optional.empty());
    image = Images.open(file, OpenOptions.defaults().withWrite(write));
    disk = image.disk();
    guestOffset = 0;
  }

  @TearDown(Level.Iteration)
  public void close() throws IOException {
    image.close();
    ImageMaker.delete(file);
  }

  @Benchmark
  public void allocate() throws IOException {
    disk.write(sector.rewind(), guestOffset);
    guestOffset += CLUSTER_BYTES;
  }
}
