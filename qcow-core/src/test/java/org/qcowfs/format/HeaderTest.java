package org.qcowfs.format;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SnapshotSpec;
import org.qcowfs.testkit.TestImage;

final class HeaderTest {
  /** A header of version 2, byte for byte. */
  private static final String GOLDEN_V2 =
      "514649fb" // magic
          + "00000002" // version
          + "0000000000000060" // backing_file_offset
          + "00000009" // backing_file_size
          + "00000010" // cluster_bits
          + "0000000040000000" // size
          + "00000000" // crypt_method
          + "00000002" // l1_size
          + "0000000000030000" // l1_table_offset
          + "0000000000010000" // refcount_table_offset
          + "00000003" // refcount_table_clusters
          + "00000007" // nb_snapshots
          + "0000000000050000"; // snapshots_offset

  /** A header of version 3 with extended L2 entries and zstd. */
  private static final String GOLDEN_V3 =
      "514649fb00000003" // magic, version
          + "0000000000000000" // backing_file_offset
          + "00000009" // backing_file_size: without meaning where there is no name
          + "00000010" // cluster_bits
          + "0000000040000000" // size
          + "00000000" // crypt_method
          + "00000004" // l1_size
          + "0000000000030000" // l1_table_offset
          + "0000000000010000" // refcount_table_offset
          + "00000001" // refcount_table_clusters
          + "00000000" // nb_snapshots
          + "0000000000000000" // snapshots_offset
          + "000000000000001b" // incompatible_features: dirty, corrupt, zstd, extended L2
          + "0000000000000001" // compatible_features: lazy refcounts
          + "0000000000000003" // autoclear_features: bitmaps, raw external data
          + "00000005" // refcount_order
          + "00000070" // header_length
          + "01" // compression_type
          + "00000000000000"; // padding

  @Test
  void everyFieldOfVersion2IsDecodedFromItsPlace() throws Qcow2Exception {
    Header header = Header.decode(bytes(GOLDEN_V2));

    assertThat(header)
        .isEqualTo(
            new Header(
                2, 0x60, 9, 16, 1L << 30, 2, 0x30000, 0x10000, 3, 7, 0x50000, 0, 0, 0, 4, 72, 0));
    assertThat(header.refcountBits()).isEqualTo(16);
    assertThat(header.clusterBytes()).isEqualTo(65536);
    assertThat(header.dirty() || header.corrupt() || header.hasDataFile()).isFalse();
  }

  @Test
  void everyFieldOfVersion3IsDecodedFromItsPlace() throws Qcow2Exception {
    Header header = Header.decode(bytes(GOLDEN_V3));

    assertThat(header)
        .isEqualTo(
            new Header(3, 0, 0, 16, 1L << 30, 4, 0x30000, 0x10000, 1, 0, 0, 0x1b, 1, 3, 5, 112, 1));
    assertThat(header.refcountBits()).isEqualTo(32);
    assertThat(header.dirty()).isTrue();
    assertThat(header.corrupt()).isTrue();
    assertThat(header.hasDataFile()).isFalse();
    assertThat(header.extendedL2()).isTrue();
    assertThat(header.lazyRefcounts()).isTrue();
    assertThat(header.dataFileRaw()).isTrue();
  }

  @Test
  void version2HasNoFeaturesWhateverFollowsTheHeader() throws Qcow2Exception {
    ByteBuffer image = ByteBuffer.allocate(112).put(bytes(GOLDEN_V2));
    while (image.hasRemaining()) {
      image.put((byte) 0xff);
    }

    assertThat(Header.decode(image.flip())).isEqualTo(Header.decode(bytes(GOLDEN_V2)));
  }

  @Test
  void aHeaderOf104BytesHasNoCompressionType() throws Qcow2Exception {
    ByteBuffer image = bytes(GOLDEN_V3).putInt(100, 104).putLong(72, 0x10).put(104, (byte) 9);

    assertThat(Header.decode(image).compressionType()).isEqualTo(Header.COMPRESSION_DEFLATE);
    assertThat(Header.decode(image).headerBytes()).isEqualTo(104);
  }

  @Test
  void decodingLeavesTheBufferAsItWas() throws Qcow2Exception {
    ByteBuffer image = bytes("ffff" + GOLDEN_V2).position(2);

    Header.decode(image);

    assertThat(image.position()).isEqualTo(2);
    assertThat(image.remaining()).isEqualTo(72);
  }

  @Test
  void theMagicIsRecognisedAndNothingShorterIs() {
    assertThat(Header.hasMagic(bytes("514649fb"))).isTrue();
    assertThat(Header.hasMagic(bytes("514649fc"))).isFalse();
    assertThat(Header.hasMagic(bytes("514649"))).isFalse();
  }

  @Test
  void theTestKitWritesTheGoldenBytesOfVersion2() {
    ImageBuilder builder = new ImageBuilder(2, 16).virtualSize(1L << 30).backing("base.qcow", null);
    builder.snapshot(SnapshotSpec.of("1", "first", 1L << 30));
    TestImage image = builder.build();

    String written = HexFormat.of().formatHex(image.bytes().read(0, 72));
    assertThat(written)
        .isEqualTo(
            "514649fb00000002" // magic, version
                + "0000000000000050" // backing_file_offset
                + "00000009" // backing_file_size
                + "00000010" // cluster_bits
                + "0000000040000000" // size
                + "00000000" // crypt_method
                + "00000002" // l1_size
                + "0000000000010000" // l1_table_offset
                + "0000000000040000" // refcount_table_offset
                + "00000001" // refcount_table_clusters
                + "00000001" // nb_snapshots
                + "0000000000030000"); // snapshots_offset
    assertThat(image.bytes().read(0x50, 9)).isEqualTo("base.qcow".getBytes(UTF_8));
  }

  private static ByteBuffer bytes(String hex) {
    return ByteBuffer.wrap(HexFormat.of().parseHex(hex));
  }
}
