package org.qcowfs.mapping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.HostIoException;
import org.qcowfs.testkit.DiskContents;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.MemoryStorage;
import org.qcowfs.testkit.TestImage;

final class Qcow2LayerTest {
  private static final long COPIED = 1L << 63;
  private static final long COMPRESSED = 1L << 62;
  private static final int CLUSTER = 65536;

  private final Layers layers = new Layers();

  private static ImageBuilder builder() {
    return new ImageBuilder(3, 16).virtualSize(4 << 20);
  }

  private static byte[] pattern(int value) {
    byte[] bytes = new byte[CLUSTER];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static TestImage poked(ImageBuilder builder, Consumer<TestImage> poke) {
    TestImage image = builder.build();
    poke.accept(image);
    return image;
  }

  private void assertCorrupt(TestImage image, String message) throws IOException {
    Qcow2Layer layer = layers.of(image);
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(() -> Layers.read(layer, 0, 2 * CLUSTER))
        .withMessage(message);
  }

  private static ImageBuilder twoDataClusters() {
    ImageBuilder builder = builder();
    builder.disk().data(0, pattern(1)).data(1, pattern(2));
    return builder;
  }

  @Test
  void theLastClusterMayBeCutShortAndEndsInZeros() throws IOException {
    TestImage image = twoDataClusters().build();
    long second = image.clusterOffset(CLUSTER);
    image.bytes().resize(second + 100);

    byte[] read = Layers.read(layers.of(image), 0, 2 * CLUSTER);

    assertThat(Arrays.copyOfRange(read, 0, CLUSTER + 100))
        .isEqualTo(Arrays.copyOf(concat(pattern(1), pattern(2)), CLUSTER + 100));
    assertThat(Arrays.copyOfRange(read, CLUSTER + 100, 2 * CLUSTER))
        .isEqualTo(new byte[CLUSTER - 100]);
    assertThat(Layers.read(layers.of(image), 2 * CLUSTER - 50, 50)).isEqualTo(new byte[50]);
  }

  @Test
  void aClusterThatLiesPastTheEndOfTheFileIsCorrupt() throws IOException {
    TestImage image = twoDataClusters().build();
    long second = image.clusterOffset(CLUSTER);
    image.bytes().resize(second);

    assertCorrupt(
        image,
        "Data cluster at host offset 0x%x: lies past the end of memory.qcow2 (%d bytes)"
            .formatted(second, second));
    assertThat(Layers.read(layers.of(image), 0, CLUSTER)).isEqualTo(pattern(1));
  }

  @Test
  void anL2TablePastTheEndOfTheFileIsCorrupt() throws IOException {
    TestImage image =
        poked(
            twoDataClusters(),
            i -> i.bytes().putLong(i.l1EntryOffset(0), COPIED | 0x7fff_ffff_0000L));

    assertCorrupt(image, "L2 table at host offset 0x7fffffff0000: lies past the end of the file");
  }

  @Test
  void anL2TableThatIsNotAlignedIsCorrupt() throws IOException {
    TestImage image =
        poked(twoDataClusters(), i -> i.bytes().putLong(i.l1EntryOffset(0), COPIED | 0x20200));

    assertCorrupt(
        image,
        "L2 table at host offset 0x20200: the offset in L1 entry 0 is not aligned to a cluster");
  }

  @Test
  void aDataClusterThatIsNotAlignedIsCorrupt() throws IOException {
    TestImage image =
        poked(twoDataClusters(), i -> i.bytes().putLong(i.l2EntryOffset(0), COPIED | 0x30200));

    assertCorrupt(
        image,
        "Cluster at host offset 0x30200: L2 entry 0x8000000000030200 for guest offset 0x0: not"
            + " aligned to a cluster");
  }

  @Test
  void aBrokenEntryFailsNoReadThatDoesNotNeedIt() throws IOException {
    TestImage image =
        poked(
            twoDataClusters(), i -> i.bytes().putLong(i.l2EntryOffset(CLUSTER), COPIED | 0x30200));

    assertThat(Layers.read(layers.of(image), 0, CLUSTER)).isEqualTo(pattern(1));
    assertThatThrownBy(() -> Layers.read(layers.of(image), 0, CLUSTER + 1))
        .hasMessageContaining("for guest offset 0x10000");
  }

  @Test
  void version2HasNoZeroClusters() throws IOException {
    ImageBuilder builder = new ImageBuilder(2, 16);
    builder.disk().rawEntry(0, 1, 0);

    assertCorrupt(
        builder.build(),
        "Cluster at host offset 0x0: L2 entry 0x0000000000000001 for guest offset 0x0: a zero"
            + " cluster in an image of version 2");
  }

  @Test
  void reservedBitsOfEntriesAreIgnored() throws IOException {
    TestImage image =
        poked(
            twoDataClusters(),
            i -> {
              i.bytes()
                  .putLong(i.l1EntryOffset(0), i.bytes().getLong(i.l1EntryOffset(0)) | (1 << 8));
              i.bytes().putLong(i.l2EntryOffset(0), i.l2Entry(0) | 0x3f00_0000_0000_0000L);
            });

    assertThat(Layers.read(layers.of(image), 0, CLUSTER)).isEqualTo(pattern(1));
  }

  @Test
  void guestDataOfAnImageWithADataFileComesFromThere() throws IOException {
    ImageBuilder builder = builder().dataFile("disk.data");
    builder.disk().data(0, pattern(5)).data(3, pattern(6));

    Qcow2Layer layer = layers.of(builder.build());

    assertThat(Layers.read(layer, 0, CLUSTER)).isEqualTo(pattern(5));
    assertThat(Layers.read(layer, CLUSTER, CLUSTER)).isEqualTo(new byte[CLUSTER]);
    assertThat(Layers.read(layer, 3 * CLUSTER, CLUSTER)).isEqualTo(pattern(6));
  }

  @Test
  void aDataFileHoldsEveryByteAtItsGuestOffset() throws IOException {
    ImageBuilder builder = builder().dataFile("disk.data");
    builder.disk().rawEntry(0, COPIED | CLUSTER, 0);

    assertCorrupt(
        builder.build(),
        "Cluster at host offset 0x10000: L2 entry 0x8000000000010000 for guest offset 0x0: a data"
            + " file must hold every byte at its guest offset");
  }

  @Test
  void aDataFileHasNoCompressedClusters() throws IOException {
    ImageBuilder builder = builder().dataFile("disk.data");
    builder.disk().rawEntry(0, COMPRESSED, 0);

    assertThatThrownBy(() -> Layers.read(layers.of(builder.build()), 0, 1))
        .hasMessageContaining("a compressed cluster, but the image has a data file");
  }

  @ParameterizedTest
  @CsvSource({
    "true, 0x0000000100000001, subclusters are both allocated and zero",
    "false, 0x0000000000000100, subclusters are allocated in a cluster that is not",
  })
  void aSubclusterBitmapThatMakesNoSenseIsCorrupt(boolean allocated, String bitmap, String rule)
      throws IOException {
    ImageBuilder builder = builder().extendedL2();
    DiskContents disk = builder.disk().data(0, pattern(1));
    if (!allocated) {
      disk.zero(0);
    }
    TestImage image = builder.build();
    image.bytes().putLong(image.l2EntryOffset(0) + 8, Long.decode(bitmap));

    assertThatThrownBy(() -> Layers.read(layers.of(image), 0, 1))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("L2 entry " + bitmap + " for guest offset 0x0: " + rule);
  }

  @Test
  void aDiskLargerThanItsL1TableEndsInZeros() throws IOException {
    Qcow2Layer layer = layers.of(twoDataClusters().build());

    assertThat(Layers.read(layer, 1L << 40, 100)).isEqualTo(new byte[100]);
    assertThat(Layers.read(layer, Long.MAX_VALUE - 1000, 1000)).isEqualTo(new byte[1000]);
  }

  @Test
  void clustersThatFollowEachOtherAreReadAtOnce() throws IOException {
    ImageBuilder builder = builder();
    for (int cluster = 0; cluster < 32; cluster++) {
      builder.disk().data(cluster, pattern(cluster));
    }
    TestImage image = builder.build();
    MemoryStorage storage = image.storage();

    Layers.read(layers.of(image, storage), 0, 32 * CLUSTER);

    assertThat(storage.reads()).as("one slice of the L2 table, one run of data").isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void anErrorOfTheHostPassesThroughAndIsForgotten(int failing) throws IOException {
    TestImage image = twoDataClusters().build();
    MemoryStorage storage = image.storage();
    Qcow2Layer layer = layers.of(image, storage);
    storage.failRead(failing, 5); // first the L2 table, then the data

    assertThatExceptionOfType(HostIoException.class)
        .isThrownBy(() -> Layers.read(layer, 0, CLUSTER))
        .satisfies(e -> assertThat(e.errno()).isEqualTo(5));

    assertThat(Layers.read(layer, 0, CLUSTER)).isEqualTo(pattern(1));
  }

  private static byte[] concat(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }
}
