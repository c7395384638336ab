package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.qcowfs.image.ShownExtents.extents;
import static org.qcowfs.image.ShownExtents.shown;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.testkit.DiskContents;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;

final class ExtentsTest {
  private static final int CLUSTER = 65536;

  @TempDir private Path directory;

  private static byte[] noise() {
    byte[] noise = new byte[CLUSTER];
    new SplittableRandom(3).nextBytes(noise);
    return noise;
  }

  private Image open(TestImage image) throws IOException {
    return Images.open(image.writeTo(directory.resolve("top.qcow2")), OpenOptions.defaults());
  }

  @Test
  void everyKindOfClusterHasItsFlags() throws IOException {
    Files.write(directory.resolve("base.raw"), new byte[CLUSTER * 7 / 2]);
    ImageBuilder builder =
        new ImageBuilder(3, 16).virtualSize(9 * CLUSTER).backing("base.raw", "raw");
    builder.disk().data(0, noise()).data(1, noise()).zero(4).zeroPreallocated(5, noise());
    builder.disk().compressed(6, noise()).data(8, noise());
    TestImage image = builder.build();

    try (Image opened = open(image)) {
      assertThat(extents(opened.disk(), 0, 9 * CLUSTER))
          .containsExactly(
              "0+131072 depth 0 present data at 0x%x of top.qcow2"
                  .formatted(image.clusterOffset(0)),
              "131072+98304 depth 1 present data at 0x20000 of base.raw",
              "229376+32768 depth 0 zero",
              "262144+65536 depth 0 present zero",
              "327680+65536 depth 0 present zero at 0x%x of top.qcow2"
                  .formatted(image.clusterOffset(5 * CLUSTER)),
              "393216+65536 depth 0 present data compressed",
              "458752+65536 depth 0 zero",
              "524288+65536 depth 0 present data at 0x%x of top.qcow2"
                  .formatted(image.clusterOffset(8 * CLUSTER)));
    }
  }

  @Test
  void anExtentNeverReachesOutsideTheRange() throws IOException {
    ImageBuilder builder = new ImageBuilder(3, 16).virtualSize(4 * CLUSTER);
    builder.disk().data(1, noise());
    TestImage image = builder.build();

    try (Image opened = open(image)) {
      assertThat(extents(opened.disk(), 100, 2 * CLUSTER - 200))
          .containsExactly(
              "100+65436 depth 0 zero",
              "65536+65436 depth 0 present data at 0x%x of top.qcow2"
                  .formatted(image.clusterOffset(CLUSTER)));
      assertThat(extents(opened.disk(), CLUSTER + 7, 1))
          .containsExactly(
              "65543+1 depth 0 present data at 0x%x of top.qcow2"
                  .formatted(image.clusterOffset(CLUSTER) + 7));
      assertThat(extents(opened.disk(), 0, 0)).isEmpty();
      assertThat(extents(opened.disk(), 4 * CLUSTER, 0)).isEmpty();
      assertThatThrownBy(() -> extents(opened.disk(), 1, 4 * CLUSTER))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void subclustersHaveTheirOwnFlags() throws IOException {
    ImageBuilder builder = new ImageBuilder(3, 16).extendedL2().virtualSize(3 * CLUSTER);
    builder.disk().subclusters(0, noise(), 0x0000_ffff, 0x00ff_0000);
    builder.disk().subclusters(1, new byte[0], 0, 0x0000_00ff);
    TestImage image = builder.build();
    long cluster = image.clusterOffset(0);

    try (Image opened = open(image)) {
      assertThat(extents(opened.disk(), 0, 3 * CLUSTER))
          .containsExactly(
              "0+32768 depth 0 present data at 0x%x of top.qcow2".formatted(cluster),
              "32768+16384 depth 0 present zero at 0x%x of top.qcow2".formatted(cluster + 32768),
              "49152+16384 depth 0 zero at 0x%x of top.qcow2".formatted(cluster + 49152),
              "65536+16384 depth 0 present zero",
              "81920+114688 depth 0 zero");
    }
  }

  @Test
  void aRawBackingFileEndsWithAWholeSector() throws IOException {
    Files.write(directory.resolve("base.raw"), Arrays.copyOf(noise(), 1000));
    ImageBuilder builder = new ImageBuilder(3, 16).virtualSize(CLUSTER).backing("base.raw", "raw");

    try (Image opened = open(builder.build())) {
      assertThat(extents(opened.disk(), 0, CLUSTER))
          .containsExactly(
              "0+1000 depth 1 present data at 0x0 of base.raw",
              "1000+24 depth 1 present zero at 0x3e8 of base.raw",
              "1024+64512 depth 0 zero");
    }
  }

  @Test
  void extentsOfADataFileLieInIt() throws IOException {
    ImageBuilder builder = new ImageBuilder(3, 16).virtualSize(2 * CLUSTER).dataFile("disk.data");
    builder.disk().data(1, noise());
    TestImage image = builder.build();
    image.dataFile().orElseThrow().writeTo(directory.resolve("disk.data"));

    try (Image opened = open(image)) {
      assertThat(extents(opened.disk(), 0, 2 * CLUSTER))
          .containsExactly(
              "0+65536 depth 0 zero", "65536+65536 depth 0 present data at 0x10000 of disk.data");
    }
  }

  @Test
  void aRawImageHasTheHolesOfItsFile() throws IOException {
    SparseBytes bytes = new SparseBytes().resize(4 << 20);
    bytes.write(1 << 20, new byte[CLUSTER]);
    Path raw = bytes.writeTo(directory.resolve("disk.raw"));

    try (Image opened = Images.open(raw, OpenOptions.defaults())) {
      List<String> extents = extents(opened.disk(), 0, 4 << 20);
      assertThat(extents)
          .containsExactly(
              "0+1048576 depth 0 present zero at 0x0 of disk.raw",
              "1048576+65536 depth 0 present data at 0x100000 of disk.raw",
              "1114112+3080192 depth 0 present zero at 0x110000 of disk.raw");
    }
  }

  @Test
  void dataClustersThatAreHolesOfTheHostFileAreZeroWhereMetadataWasPreallocated()
      throws IOException {
    ImageBuilder builder = new ImageBuilder(3, 16).virtualSize(64 * CLUSTER);
    for (int cluster = 0; cluster < 64; cluster++) {
      builder.disk().data(cluster, cluster == 10 ? noise() : new byte[0]);
    }
    TestImage image = builder.build();
    long first = image.clusterOffset(0);

    try (Image opened = open(image)) {
      assertThat(extents(opened.disk(), 0, 64 * CLUSTER))
          .containsExactly(
              "0+655360 depth 0 present zero data at 0x%x of top.qcow2".formatted(first),
              "655360+65536 depth 0 present data at 0x%x of top.qcow2".formatted(first + 655360),
              "720896+3473408 depth 0 present zero data at 0x%x of top.qcow2"
                  .formatted(first + 720896));
    }
  }

  @ParameterizedTest
  @CsvSource({"0x8000000000000000", "0x0100000000000000", "0x0000004000000000"})
  void aBrokenRefcountTableKeepsNobodyFromTheExtents(String entry) throws IOException {
    ImageBuilder builder = new ImageBuilder(3, 16).virtualSize(64 * CLUSTER);
    for (int cluster = 0; cluster < 64; cluster++) {
      builder.disk().data(cluster, new byte[0]);
    }
    TestImage image = builder.build();
    image
        .bytes()
        .putLong(image.refcountTableOffset(), Long.parseUnsignedLong(entry.substring(2), 16));

    try (Image opened = open(image)) {
      assertThat(extents(opened.disk(), 0, 64 * CLUSTER))
          .containsExactly(
              "0+4194304 depth 0 present data at 0x%x of top.qcow2"
                  .formatted(image.clusterOffset(0)));
    }
  }

  @Test
  void anEmptyDiskOf10TebibytesIsToldInFewExtents() throws IOException {
    long size = 10L << 40;
    try (Image opened = open(new ImageBuilder(3, 16).virtualSize(size).build())) {
      int[] visited = {0};
      opened.disk().extents(0, size, extent -> visited[0]++);
      assertThat(visited[0]).isEqualTo(1);
    }
  }

  /** What is called zero is zero, and what is called data comes from where it is said to lie. */
  @ParameterizedTest
  @CsvSource({"9, 1", "12, 2", "16, 3", "16, 4"})
  void extentsAgreeWithTheBytes(int clusterBits, int seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    int size = 40 << clusterBits;
    ImageBuilder builder =
        new ImageBuilder(3, clusterBits).virtualSize(size).backing("base.raw", "raw");
    Files.write(directory.resolve("base.raw"), new byte[size / 2]);
    if (seed % 2 == 0) {
      builder.scattered();
    }
    boolean extendedL2 = clusterBits == 16;
    if (extendedL2) {
      builder.extendedL2();
    }
    DiskContents disk = builder.disk();
    byte[] cluster = new byte[1 << clusterBits];
    for (int i = 0; i < 40; i++) {
      random.nextBytes(cluster);
      switch (random.nextInt(extendedL2 ? 6 : 5)) {
        case 0 -> disk.data(i, cluster.clone());
        case 1 -> disk.zero(i);
        case 2 -> disk.zeroPreallocated(i, cluster.clone());
        case 3 -> disk.compressed(i, cluster.clone());
        case 4 -> {
          // stays unallocated
        }
        default -> disk.subclusters(i, cluster.clone(), 0x00ff_ff00, 0xf000_000f);
      }
    }
    byte[] model = disk.expected(new byte[size]);
    try (Image opened = open(builder.build())) {
      extents(opened.disk(), 0, size);
      opened.disk().extents(0, size, extent -> compare(extent, model));
    }
  }

  private static void compare(Extent extent, byte[] model) throws IOException {
    int start = (int) extent.start();
    ByteBuffer expected = ByteBuffer.wrap(model, start, (int) extent.length());
    ByteBuffer stored = ByteBuffer.allocate((int) extent.length());
    if (!extent.zero() && !extent.compressed()) {
      try (var channel = Files.newByteChannel(extent.hostFile())) {
        channel.position(extent.hostOffset()).read(stored);
      }
    }
    if (!extent.compressed()) {
      assertThat(stored.clear()).as("%s", shown(extent)).isEqualTo(expected);
    }
  }
}
