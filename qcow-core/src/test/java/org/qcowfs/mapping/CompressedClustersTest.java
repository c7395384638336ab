package org.qcowfs.mapping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.MemoryStorage;
import org.qcowfs.testkit.TestImage;

final class CompressedClustersTest {
  private static final long COMPRESSED = 1L << 62;
  private static final int CLUSTER = 65536;

  private final Layers layers = new Layers();

  private static ImageBuilder builder() {
    return new ImageBuilder(3, 16).virtualSize(4 << 20);
  }

  private static byte[] noise() {
    byte[] noise = new byte[CLUSTER];
    new SplittableRandom(1).nextBytes(noise);
    return noise;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void compressedDataThatWasCutShortIsCorrupt(boolean zstd) throws IOException {
    ImageBuilder builder = zstd ? builder().zstd() : builder();
    builder.disk().compressed(0, noise()).compressed(1, new byte[] {3});
    TestImage image = builder.build();
    long sector = 1L << 54;
    image.bytes().putLong(image.l2EntryOffset(0), image.l2Entry(0) - sector);

    assertThatThrownBy(() -> Layers.read(layers.of(image), 100, 10))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageStartingWith("Compressed cluster at host offset 0x30003: ")
        .hasMessageContaining("a cluster has 65536");
    assertThat(Layers.read(layers.of(image), CLUSTER, CLUSTER))
        .isEqualTo(Arrays.copyOf(new byte[] {3}, CLUSTER));
  }

  @Test
  void compressedDataPastTheEndOfTheFileIsCorrupt() throws IOException {
    ImageBuilder builder = builder();
    builder.disk().rawEntry(0, COMPRESSED | 0x7000_0000L, 0);

    TestImage image = builder.build();
    assertThatThrownBy(() -> Layers.read(layers.of(image), 0, CLUSTER))
        .isInstanceOf(CorruptImageException.class)
        .hasMessage(
            "Compressed cluster at host offset 0x70000000: 0 bytes of compressed data gave 0 bytes,"
                + " a cluster has 65536");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aCompressedLengthMayRunPastTheEndOfTheFile(boolean zstd) throws IOException {
    ImageBuilder builder = zstd ? builder().zstd() : builder();
    builder.disk().compressed(0, noise());
    TestImage image = builder.build();
    long entry = image.l2Entry(0);
    long used = (((entry >>> 54) & 0xff) + 1) * 512 - (entry & 511);
    // Whatever follows is cut off, and the length is made the largest there is.
    image.bytes().resize((entry & ((1L << 54) - 1)) + used);
    image.bytes().putLong(image.l2EntryOffset(0), entry | (0xffL << 54));

    assertThat(Layers.read(layers.of(image), 0, CLUSTER)).isEqualTo(noise());
  }

  @Test
  void aCompressedClusterBeyondWhatAHostOffsetCanBeIsCorrupt() throws IOException {
    ImageBuilder builder = new ImageBuilder(3, 9).virtualSize(1024);
    builder.disk().rawEntry(0, COMPRESSED | (1L << 56) | 5, 0);
    layers.clusters.put((1L << 56) | 5, new byte[16]); // a cluster of the next file of the chain

    assertThatThrownBy(() -> Layers.read(layers.of(builder.build()), 0, 100))
        .hasMessage(
            "Compressed cluster at host offset 0x100000000000005: beyond what a host offset can"
                + " be");
  }

  @Test
  void aCompressedClusterThatIsReadInPartsIsDecompressedOnce() throws IOException {
    ImageBuilder builder = builder();
    builder.disk().compressed(0, noise());
    TestImage image = builder.build();
    MemoryStorage storage = image.storage();
    Qcow2Layer layer = layers.of(image, storage);
    Layers.read(layer, 0, 4096);
    int reads = storage.reads();

    for (int offset = 0; offset < CLUSTER; offset += 4096) {
      assertThat(Layers.read(layer, offset, 4096))
          .isEqualTo(Arrays.copyOfRange(noise(), offset, offset + 4096));
    }
    assertThat(storage.reads()).isEqualTo(reads);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void clustersThatAreReadTogetherAreFetchedTogether(boolean zstd) throws IOException {
    ImageBuilder builder = zstd ? builder().zstd() : builder();
    byte[] expected = new byte[12 * CLUSTER];
    for (int i = 0; i < 12; i++) {
      byte[] cluster = Arrays.copyOf(new byte[] {(byte) (i + 1), 7}, CLUSTER);
      builder.disk().compressed(i, cluster);
      System.arraycopy(cluster, 0, expected, i * CLUSTER, CLUSTER);
    }
    TestImage image = builder.build();
    MemoryStorage storage = image.storage();
    Qcow2Layer layer = layers.of(image, storage);
    Layers.read(layer, 20 * CLUSTER, 1);
    int reads = storage.reads();

    assertThat(Layers.read(layer, 100, expected.length - 200))
        .isEqualTo(Arrays.copyOfRange(expected, 100, expected.length - 100));
    assertThat(storage.reads() - reads).as("the ten in the middle, and two in part").isEqualTo(3);
  }

  @Test
  void aBrokenClusterAmongManyIsNamed() throws IOException {
    ImageBuilder builder = builder();
    for (int i = 0; i < 8; i++) {
      builder.disk().compressed(i, noise());
    }
    TestImage image = builder.build();
    long fifth = image.l2Entry(5L * CLUSTER) & ((1L << 54) - 1);
    image.bytes().putLong(fifth, -1);

    assertThatThrownBy(() -> Layers.read(layers.of(image), 0, 8 * CLUSTER))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageStartingWith("Compressed cluster at host offset 0x%x: ".formatted(fifth));
    assertThat(Layers.read(layers.of(image), 0, 5 * CLUSTER)).startsWith(noise()).endsWith(noise());
  }

  @Test
  void clustersThatLieApartAreReadTogetherToo() throws IOException {
    ImageBuilder builder = builder();
    for (int i = 0; i < 4; i++) {
      builder.disk().compressed(i, Arrays.copyOf(new byte[] {(byte) (i + 1)}, CLUSTER));
    }
    TestImage image = builder.build();
    long first = image.l2Entry(0);
    image.bytes().putLong(image.l2EntryOffset(0), image.l2Entry(3L * CLUSTER));
    image.bytes().putLong(image.l2EntryOffset(3L * CLUSTER), first);

    byte[] read = Layers.read(layers.of(image), 0, 4 * CLUSTER);

    assertThat(new byte[] {read[0], read[CLUSTER], read[2 * CLUSTER], read[3 * CLUSTER]})
        .containsExactly(4, 2, 3, 1);
  }
}
