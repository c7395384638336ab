package org.qcowfs.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ClusterDecompressorTest {
  private static final int CLUSTER = 65536;

  /** The algorithms and what does them, each with a compressor. */
  enum Algorithm {
    DEFLATE {
      @Override
      ClusterDecompressor decompressor() {
        return new DeflateDecompressor();
      }

      @Override
      byte[] compress(byte[] bytes) {
        return deflate(bytes);
      }
    },
    DEFLATE_BY_ZLIB {
      @Override
      ClusterDecompressor decompressor() {
        return new DeflateDecompressor(false);
      }

      @Override
      byte[] compress(byte[] bytes) {
        return deflate(bytes);
      }
    },
    ZSTD {
      @Override
      ClusterDecompressor decompressor() {
        return new ZstdDecompressor();
      }

      @Override
      byte[] compress(byte[] bytes) {
        return Zstd.compress(bytes);
      }
    };

    abstract ClusterDecompressor decompressor();

    abstract byte[] compress(byte[] bytes);
  }

  private static byte[] deflate(byte[] bytes) {
    Deflater deflater = new Deflater(9, true);
    deflater.setInput(bytes);
    deflater.finish();
    byte[] packed = new byte[2 * bytes.length + 64];
    int length = deflater.deflate(packed);
    deflater.end();
    return Arrays.copyOf(packed, length);
  }

  private static byte[] cluster(int bytes) {
    byte[] cluster = new byte[bytes];
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < bytes; i++) {
      cluster[i] = (byte) (random.nextInt(4) == 0 ? random.nextInt() : i >> 8);
    }
    return cluster;
  }

  private static ByteBuffer direct(byte[]... parts) {
    int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
    ByteBuffer buffer = ByteBuffer.allocateDirect(length);
    for (byte[] part : parts) {
      buffer.put(part);
    }
    return buffer.flip();
  }

  private static byte[] written(ByteBuffer output) {
    byte[] bytes = new byte[output.position()];
    output.get(0, bytes);
    return bytes;
  }

  @ParameterizedTest
  @EnumSource
  void aClusterComesBackWhateverFollowsItsData(Algorithm algorithm) {
    byte[] cluster = cluster(CLUSTER);
    byte[] neighbour = cluster(700);
    ByteBuffer output = ByteBuffer.allocateDirect(CLUSTER);

    int produced =
        algorithm.decompressor().decompress(direct(algorithm.compress(cluster), neighbour), output);

    assertThat(produced).isEqualTo(CLUSTER);
    assertThat(written(output)).isEqualTo(cluster);
  }

  @ParameterizedTest
  @EnumSource
  void theOutputIsFilledFromItsPositionToItsLimitOnly(Algorithm algorithm) {
    ByteBuffer output = ByteBuffer.allocateDirect(CLUSTER + 200).position(100).limit(CLUSTER + 100);

    algorithm.decompressor().decompress(direct(algorithm.compress(cluster(CLUSTER))), output);

    assertThat(output.position()).isEqualTo(CLUSTER + 100);
    assertThat(output.get(99)).isZero();
    assertThat(output.limit(CLUSTER + 200).get(CLUSTER + 100)).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void dataThatEndsEarlyGivesLessThanAsked(Algorithm algorithm) {
    byte[] packed = algorithm.compress(cluster(CLUSTER));
    for (int length : new int[] {0, 1, 10, packed.length / 2, packed.length - 10}) {
      ByteBuffer output = ByteBuffer.allocateDirect(CLUSTER);

      int produced =
          algorithm.decompressor().decompress(direct(Arrays.copyOf(packed, length)), output);

      assertThat(produced).as("%d of %d bytes", length, packed.length).isLessThan(CLUSTER);
      assertThat(output.hasRemaining()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aClusterOfTheWrongSizeGivesLessThanAsked(Algorithm algorithm) {
    ByteBuffer output = ByteBuffer.allocateDirect(CLUSTER);

    int produced =
        algorithm.decompressor().decompress(direct(algorithm.compress(cluster(1000))), output);

    assertThat(produced).isLessThan(CLUSTER);
  }

  @ParameterizedTest
  @EnumSource
  void randomBytesGiveLessThanAskedAndNoException(Algorithm algorithm) {
    SplittableRandom random = new SplittableRandom(42);
    for (int i = 0; i < 200; i++) {
      byte[] junk = new byte[random.nextInt(2000)];
      random.nextBytes(junk);
      ByteBuffer output = ByteBuffer.allocateDirect(1 << 20);

      assertThat(algorithm.decompressor().decompress(direct(junk), output)).isLessThan(1 << 20);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBrokenClusterDoesNotSpoilTheNext(Algorithm algorithm) {
    byte[] cluster = cluster(CLUSTER);
    byte[] packed = algorithm.compress(cluster);
    ClusterDecompressor decompressor = algorithm.decompressor();
    decompressor.decompress(
        direct(Arrays.copyOf(packed, packed.length / 2)), ByteBuffer.allocateDirect(CLUSTER));
    ByteBuffer output = ByteBuffer.allocateDirect(CLUSTER);

    assertThat(decompressor.decompress(direct(packed), output)).isEqualTo(CLUSTER);
    assertThat(written(output)).isEqualTo(cluster);
  }

  @Test
  void aZstdClusterMayConsistOfSeveralFrames() {
    byte[] cluster = cluster(CLUSTER);
    byte[] first = Zstd.compress(Arrays.copyOf(cluster, 1000));
    byte[] second = Zstd.compress(Arrays.copyOfRange(cluster, 1000, CLUSTER));
    ByteBuffer output = ByteBuffer.allocateDirect(CLUSTER);

    assertThat(new ZstdDecompressor().decompress(direct(first, second, new byte[300]), output))
        .isEqualTo(CLUSTER);
    assertThat(written(output)).isEqualTo(cluster);
  }

  @Test
  void aZstdFrameNeedNotSayHowLongItsContentIs() throws IOException {
    byte[] cluster = cluster(CLUSTER);
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (ZstdOutputStream out = new ZstdOutputStream(packed)) {
      out.write(cluster);
    }
    ByteBuffer output = ByteBuffer.allocateDirect(CLUSTER);

    new ZstdDecompressor().decompress(direct(packed.toByteArray(), new byte[100]), output);

    assertThat(written(output)).isEqualTo(cluster);
  }

  @Test
  void aDeflateStreamThatWantsADictionaryGivesNothing() {
    // zlib's header with the dictionary flag is no valid start of a raw stream either.
    ByteBuffer output = ByteBuffer.allocateDirect(512);

    assertThat(
            new DeflateDecompressor()
                .decompress(direct(new byte[] {0x78, (byte) 0xbb, 1, 2, 3, 4, 5, 6}), output))
        .isLessThan(512);
  }

  @Test
  void libdeflateGivesWhatZlibGives() {
    Optional<LibDeflate> library = LibDeflate.create();
    assumeThat(library).as("libdeflate on this machine").isPresent();
    LibDeflate libDeflate = library.get();
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 300; i++) {
      byte[] packed = deflate(cluster(CLUSTER));
      for (int flips = random.nextInt(3); flips > 0; flips--) {
        packed[random.nextInt(packed.length)] ^= (byte) (1 << random.nextInt(8));
      }
      ByteBuffer quick = ByteBuffer.allocateDirect(CLUSTER);
      ByteBuffer slow = ByteBuffer.allocateDirect(CLUSTER);

      if (libDeflate.decompress(direct(packed), quick)) {
        assertThat(new DeflateDecompressor(false).decompress(direct(packed), slow))
            .isEqualTo(CLUSTER);
        assertThat(written(quick)).isEqualTo(written(slow));
      }
    }
  }
}
