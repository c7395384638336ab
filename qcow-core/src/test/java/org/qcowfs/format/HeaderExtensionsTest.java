package org.qcowfs.format;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.TestImage;

final class HeaderExtensionsTest {
  private static final int UNKNOWN = 0x12345678;

  private static HeaderExtensions decode(TestImage image) throws Qcow2Exception {
    ByteBuffer firstCluster = ByteBuffer.wrap(image.bytes().read(0, 1 << image.clusterBits()));
    return HeaderExtensions.decode(Header.decode(firstCluster), firstCluster);
  }

  private static void checkFeatures(TestImage image) throws Qcow2Exception {
    decode(image).checkFeatures(Header.decode(ByteBuffer.wrap(image.bytes().read(0, 112))));
  }

  @Test
  void extensionsAreKeptInTheirOrderWithTheirBytes() throws Qcow2Exception {
    TestImage image =
        new ImageBuilder(3, 16)
            .extension(UNKNOWN, new byte[] {1, 2, 3})
            .backing("base.raw", "raw")
            .extension(0x7777, new byte[0])
            .build();

    HeaderExtensions extensions = decode(image);

    assertThat(extensions.all())
        .extracting(HeaderExtensions.Extension::type)
        .containsExactly(UNKNOWN, ImageBuilder.EXTENSION_BACKING_FORMAT, 0x7777);
    assertThat(extensions.all())
        .extracting(HeaderExtensions.Extension::hostOffset)
        .containsExactly(112L, 128L, 144L);
    assertThat(extensions.all().get(0).data()).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3}));
    assertThat(extensions.all().get(0).data().isReadOnly()).isTrue();
    assertThat(extensions.backingFormat()).contains("raw");
    assertThat(extensions.dataFileName()).isEmpty();
    assertThat(extensions.bitmaps()).isEmpty();
  }

  @Test
  void extensionsOfVersion2FollowItsShorterHeader() throws Qcow2Exception {
    TestImage image = new ImageBuilder(2, 16).backing("base.raw", "raw").build();

    assertThat(decode(image).all())
        .extracting(HeaderExtensions.Extension::hostOffset)
        .containsExactly(72L);
  }

  @Test
  void anUnknownExtensionMayAppearTwice() throws Qcow2Exception {
    TestImage image = new ImageBuilder(3, 16).extension(UNKNOWN, new byte[8]).build();
    image.bytes().putInt(128, UNKNOWN).putInt(132, 8);

    assertThat(decode(image).all()).hasSize(2);
  }

  @Test
  void extensionsEndWhereTheBackingFileNameBegins() throws Qcow2Exception {
    TestImage image = new ImageBuilder(3, 16).backing("base.raw", "raw").build();
    long name = 112 + 16;
    image.bytes().putLong(8, name).write(name, "\0\0\0\7looks like an extension".getBytes(UTF_8));

    assertThat(decode(image).all()).hasSize(1);
  }

  @Test
  void extensionsMayFillTheClusterWithoutAnEndMark() throws Qcow2Exception {
    TestImage image = new ImageBuilder(3, 9).extension(UNKNOWN, new byte[512 - 112 - 8]).build();

    assertThat(decode(image).all()).hasSize(1);
  }

  @Test
  void anExtensionThatIsLongerThanTheHeaderAreaIsCorrupt() {
    TestImage image = new ImageBuilder(3, 9).extension(UNKNOWN, new byte[8]).build();
    image.bytes().putInt(116, 512 - 112 - 8 + 1);

    assertThatThrownBy(() -> decode(image))
        .isInstanceOf(CorruptImageException.class)
        .hasMessage(
            "Header extension at host offset 0x70: length of extension 0x12345678 is 393, past the"
                + " end of the header area at 0x200");

    image.bytes().putInt(116, -1);
    assertThatThrownBy(() -> decode(image)).hasMessageContaining("is 4294967295, past the end");
  }

  @Test
  void aKnownExtensionThatAppearsTwiceIsCorrupt() {
    TestImage image = new ImageBuilder(3, 16).backing("base.raw", "raw").build();
    image.bytes().putLong(8, 0x200).putInt(128, ImageBuilder.EXTENSION_BACKING_FORMAT);

    assertThatThrownBy(() -> decode(image))
        .hasMessage("Header extension at host offset 0x80: extension 0xe2792aca appears twice");
  }

  @Test
  void namesLongerThanTheirLimitsAreCorrupt() {
    TestImage format = new ImageBuilder(3, 16).backing("b", "sixteen-letters-").build();
    TestImage dataFile = new ImageBuilder(3, 16).dataFile("d".repeat(1024)).build();

    assertThatThrownBy(() -> decode(format))
        .hasMessage(
            "Header extension at host offset 0x70: the backing format name has 16 bytes, more than"
                + " the limit of 15");
    assertThatThrownBy(() -> decode(dataFile))
        .hasMessage(
            "Header extension at host offset 0x70: the data file name has 1024 bytes, more than the"
                + " limit of 1023");
  }

  @Test
  void unknownIncompatibleFeaturesAreRefusedByTheNamesTheImageGives() {
    TestImage image =
        new ImageBuilder(3, 16)
            .featureName(1, 5, "a compatible one")
            .featureName(0, 5, "time travel")
            .featureName(0, 63, "a name of exactly forty-six bytes, no more, ok")
            .incompatible((1L << 5) | (1L << 63) | (1L << 40))
            .build();

    assertThatThrownBy(() -> checkFeatures(image))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessage(
            "Header: the image needs unsupported features: 'time travel' (incompatible bit 5),"
                + " unnamed (incompatible bit 40), 'a name of exactly forty-six bytes, no more, ok'"
                + " (incompatible bit 63)");
  }

  @Test
  void unknownCompatibleAndAutoclearFeaturesAreNoObstacle() throws Qcow2Exception {
    checkFeatures(new ImageBuilder(3, 16).compatible(-1L).autoclear(~3L).build());
  }
}
