package org.qcowfs.benchmark;

import com.github.luben.zstd.Zstd;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.zip.Deflater;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.qcowfs.compress.ClusterDecompressor;
import org.qcowfs.compress.DeflateDecompressor;
import org.qcowfs.compress.ZstdDecompressor;

/** One cluster of 64 KiB, of which half can be compressed away. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class DecompressionBenchmark {
  private static final int CLUSTER_BYTES = 1 << 16;

  /** Which compression. */
  public enum Kind {
    DEFLATE,
    ZSTD
  }

  @Param public Kind kind = Kind.DEFLATE;

  private final ByteBuffer output = ByteBuffer.allocateDirect(CLUSTER_BYTES);
  private ByteBuffer input = output;
  private ClusterDecompressor decompressor = new DeflateDecompressor();

  @Setup
  public void compress() {
    byte[] cluster = new byte[CLUSTER_BYTES];
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < CLUSTER_BYTES; i++) {
      cluster[i] = (byte) (i % 4096 < 2048 ? random.nextInt() : i % 8);
    }
    byte[] packed = kind == Kind.ZSTD ? Zstd.compress(cluster) : deflate(cluster);
    decompressor = kind == Kind.ZSTD ? new ZstdDecompressor() : new DeflateDecompressor();
    input = ByteBuffer.allocateDirect(packed.length).put(packed).flip();
  }

  private static byte[] deflate(byte[] cluster) {
    Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
    deflater.setInput(cluster);
    deflater.finish();
    byte[] packed = new byte[2 * cluster.length];
    int length = deflater.deflate(packed);
    deflater.end();
    return Arrays.copyOf(packed, length);
  }

  @Benchmark
  public int decompress() {
    return decompressor.decompress(input.rewind(), output.clear());
  }
}
