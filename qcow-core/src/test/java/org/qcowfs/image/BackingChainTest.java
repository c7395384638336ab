package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.testkit.DiskContents;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.TestImage;

final class BackingChainTest {
  @TempDir private Path directory;

  private static byte[] noise(int bytes) {
    byte[] noise = new byte[bytes];
    new SplittableRandom(bytes).nextBytes(noise);
    return noise;
  }

  private byte[] readAll(Path file) throws IOException {
    try (Image image = Images.open(file, OpenOptions.defaults())) {
      byte[] disk = new byte[Math.toIntExact(image.disk().size())];
      image.disk().read(ByteBuffer.wrap(disk), 0);
      return disk;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 511, 512, 65536, 100_001, 262_143, 262_144, 262_145, 400_000})
  void aRawBackingFileOfAnyLengthEndsInZeros(int bytes) throws IOException {
    byte[] base = noise(bytes);
    Files.write(directory.resolve("base.raw"), base);
    ImageBuilder builder = new ImageBuilder(3, 16).virtualSize(262_144).backing("base.raw", "raw");
    DiskContents disk = builder.disk().data(1, new byte[] {1, 2, 3}).zero(2);

    byte[] read = readAll(builder.build().writeTo(directory.resolve("top.qcow2")));

    assertThat(read).isEqualTo(disk.expected(Arrays.copyOf(base, 262_144)));
  }

  @Test
  void aChainMixesClusterSizesSizesAndCompression() throws IOException {
    byte[] raw = noise(70_000);
    Files.write(directory.resolve("base.raw"), raw);
    ImageBuilder lower = new ImageBuilder(2, 9).virtualSize(200_000).backing("base.raw", "raw");
    DiskContents lowerDisk = lower.disk();
    for (int cluster = 0; cluster < 200_000 / 512; cluster += 3) {
      lowerDisk.compressed(cluster, new byte[] {(byte) cluster, 7});
    }
    lower.build().writeTo(directory.resolve("lower.qcow2"));
    ImageBuilder middle =
        new ImageBuilder(3, 21).virtualSize(90_001).backing("lower.qcow2", "qcow2");
    DiskContents middleDisk = middle.disk();
    middle.build().writeTo(directory.resolve("middle.qcow2"));
    ImageBuilder top =
        new ImageBuilder(3, 14)
            .extendedL2()
            .zstd()
            .virtualSize(300_000)
            .backing("middle.qcow2", "qcow2");
    DiskContents topDisk =
        top.disk()
            .subclusters(0, noise(16384), 0x0f0f_0f0f, 0xf000_0000)
            .compressed(2, noise(16384));

    byte[] read = readAll(top.build().writeTo(directory.resolve("top.qcow2")));

    byte[] lowerBytes = lowerDisk.expected(Arrays.copyOf(raw, 200_000));
    byte[] middleBytes = middleDisk.expected(Arrays.copyOf(lowerBytes, 90_001));
    assertThat(read).isEqualTo(topDisk.expected(Arrays.copyOf(middleBytes, 300_000)));
  }

  @Test
  void aCompressedClusterIsNotTakenForOneOfAnotherFileOfTheChain() throws IOException {
    ImageBuilder lower = new ImageBuilder(3, 16).virtualSize(1 << 18);
    ImageBuilder upper =
        new ImageBuilder(3, 16).virtualSize(1 << 18).backing("lower.qcow2", "qcow2");
    lower.disk().compressed(0, noise(65536)).compressed(1, new byte[] {1});
    upper.disk().compressed(2, new byte[] {2}).compressed(3, noise(65536));
    lower.build().writeTo(directory.resolve("lower.qcow2"));
    Path top = upper.build().writeTo(directory.resolve("top.qcow2"));

    try (Image image = Images.open(top, OpenOptions.defaults())) {
      byte[] expected = upper.disk().expected(lower.disk().expected(new byte[1 << 18]));
      for (int round = 0; round < 2; round++) {
        for (int offset = 0; offset < 1 << 18; offset += 8192) {
          byte[] part = new byte[8192];
          image.disk().read(ByteBuffer.wrap(part), offset);
          assertThat(part).isEqualTo(Arrays.copyOfRange(expected, offset, offset + 8192));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aDataFileIsOpenedBesideTheImage(boolean raw) throws IOException {
    ImageBuilder builder = new ImageBuilder(3, 16).virtualSize(300_000).dataFile("disk.data");
    if (raw) {
      builder.autoclear(2);
    }
    DiskContents disk = builder.disk().data(0, noise(65536)).zeroPreallocated(1, noise(65536));
    disk.data(4, noise(65536));
    TestImage image = builder.build();
    Path top = image.writeTo(directory.resolve("top.qcow2"));
    image.dataFile().orElseThrow().resize(300_000).writeTo(directory.resolve("disk.data"));

    assertThat(readAll(top)).isEqualTo(disk.expected(new byte[0]));
    Files.delete(directory.resolve("disk.data"));
    assertThatThrownBy(() -> readAll(top))
        .hasMessage("%s: its data file 'disk.data' does not exist", top);
  }

  @Test
  void hostOffsetsReachBeyond32BitsAndTheL1TableMayBeLongerThanNeeded() throws IOException {
    ImageBuilder builder =
        new ImageBuilder(3, 16)
            .virtualSize(1 << 20)
            .hostOffsetsFrom(1L << 40)
            .moreL1Entries(100_000);
    DiskContents disk = builder.disk().data(3, noise(65536)).compressed(5, noise(65536));

    Path top = builder.build().writeTo(directory.resolve("top.qcow2"));

    assertThat(Files.size(top)).isGreaterThan(1L << 40);
    assertThat(readAll(top)).isEqualTo(disk.expected(new byte[0]));
  }

  @Test
  void theLastClusterOfA10TebibyteDiskIsRead() throws IOException {
    long size = 10L << 40;
    ImageBuilder builder = new ImageBuilder(3, 16).virtualSize(size);
    builder.disk().data((size >> 16) - 1, noise(65536));
    Path top = builder.build().writeTo(directory.resolve("top.qcow2"));

    try (Image image = Images.open(top, OpenOptions.defaults())) {
      byte[] last = new byte[65536];
      image.disk().read(ByteBuffer.wrap(last), size - 65536);
      assertThat(last).isEqualTo(noise(65536));
    }
  }

  @Test
  void aRawImageIsItsOwnDisk() throws IOException {
    byte[] bytes = noise(1001);
    Path raw = Files.write(directory.resolve("disk.raw"), bytes);
    Path img = Files.write(directory.resolve("disk.img"), bytes);

    assertThat(readAll(raw)).isEqualTo(bytes);
    assertThat(readAll(img)).isEqualTo(bytes);
  }

  @Test
  void aRawDiskThatHoldsAnImageStaysRawWhereItsNameOrItsUserSaysSo() throws IOException {
    byte[] image = new ImageBuilder(3, 16).build().bytes().read(0, 512);
    Path raw = Files.write(directory.resolve("disk.raw"), image);
    Path other = Files.write(directory.resolve("disk"), image);

    assertThat(readAll(raw)).isEqualTo(image);
    try (Image opened = Images.open(other, OpenOptions.defaults().withFormat(ImageFormat.RAW))) {
      assertThat(opened.disk().size()).isEqualTo(512);
      assertThat(opened.snapshots()).isEmpty();
    }
  }
}
