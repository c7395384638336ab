package org.qcowfs.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.geometry.ClusterGeometry;

final class BitmapDirectoryTest {
  private static final ClusterGeometry GEOMETRY = new ClusterGeometry(16, false);

  private static final String EXTENSION =
      "00000002" // nb_bitmaps
          + "00000000" // reserved
          + "0000000000000040" // bitmap_directory_size
          + "0000000000090000"; // bitmap_directory_offset

  private static final String ENTRIES =
      "00000000000a0000" // bitmap_table_offset
          + "00000003" // bitmap_table_size
          + "00000002" // flags: auto
          + "01" // type
          + "0f" // granularity_bits
          + "0004" // name_size
          + "00000000" // extra_data_size
          + "64617931" // "day1"
          + "00000000" // padding to 8
          + "00000000000b0000"
          + "00000001"
          + "00000001" // in use
          + "01"
          + "10"
          + "0001"
          + "00000000"
          + "62" // "b"
          + "00000000000000";

  private static BitmapDirectory decode(ByteBuffer extension) throws CorruptImageException {
    return BitmapDirectory.decode(
        new HeaderExtensions.Extension(0x23852875, 0x70, extension), GEOMETRY);
  }

  private static ByteBuffer bytes(String hex) {
    return ByteBuffer.wrap(HexFormat.of().parseHex(hex));
  }

  @Test
  void everyFieldIsDecodedFromItsPlace() throws CorruptImageException {
    BitmapDirectory directory = decode(bytes(EXTENSION));

    assertThat(directory).isEqualTo(new BitmapDirectory(2, 64, 0x90000));
    List<BitmapDirectory.Entry> entries = directory.decodeEntries(bytes(ENTRIES));
    assertThat(entries)
        .containsExactly(
            new BitmapDirectory.Entry("day1", 0xa0000, 3, 2, 15),
            new BitmapDirectory.Entry("b", 0xb0000, 1, 1, 16));
    assertThat(entries.get(0).auto()).isTrue();
    assertThat(entries.get(0).inUse()).isFalse();
    assertThat(entries.get(1).auto()).isFalse();
    assertThat(entries.get(1).inUse()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | 00000000 | nb_bitmaps is 0, not in 1..65535",
        "0 | 00010000 | nb_bitmaps is 65536, not in 1..65535",
        "0 | ffffffff | nb_bitmaps is 4294967295, not in 1..65535",
        "4 | 00000001 | reserved field is 0x1, not 0",
        "8 | 000000000000002f | bitmap_directory_size is 47, not possible for 2 bitmaps",
        "8 | 0000000000000831 | bitmap_directory_size is 2097, not possible for 2 bitmaps",
        "8 | ffffffffffffffff | bitmap_directory_size is 18446744073709551615, not possible for 2"
            + " bitmaps",
        "16 | 0000000000090200 | bitmap_directory_offset is 0x90200, not a host offset aligned to a"
            + " cluster",
        "16 | 0000000000000000 | bitmap_directory_offset is 0x0, not a host offset aligned to a"
            + " cluster",
        "16 | 0100000000000000 | bitmap_directory_offset is 0x100000000000000, not a host offset"
            + " aligned to a cluster",
        "16 | ffffffffffff0000 | bitmap_directory_offset is 0xffffffffffff0000, not a host offset"
            + " aligned to a cluster",
      })
  void aMalformedExtensionIsCorrupt(int offset, String poke, String detail) {
    ByteBuffer extension = bytes(EXTENSION).put(offset, HexFormat.of().parseHex(poke));

    assertThatThrownBy(() -> decode(extension))
        .isInstanceOf(CorruptImageException.class)
        .hasMessage("Bitmap directory at host offset 0x70: " + detail);
  }

  @Test
  void anExtensionOfAnotherLengthIsCorrupt() {
    assertThatThrownBy(() -> decode(bytes(EXTENSION + "00")))
        .hasMessage("Bitmap directory at host offset 0x70: length is 25, not 24");
    assertThatThrownBy(() -> decode(bytes(EXTENSION).limit(23)))
        .hasMessage("Bitmap directory at host offset 0x70: length is 23, not 24");
  }

  /** Pokes into the second entry, which starts at 0x90020. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | 00000000000b0100 | bitmap_table_offset is 0xb0100, not an aligned host offset",
        "0 | 0000000000000000 | bitmap_table_offset is 0x0, not an aligned host offset",
        "0 | 0100000000000000 | bitmap_table_offset is 0x100000000000000, not an aligned host"
            + " offset",
        "8 | 08000001 | bitmap_table_size is 134217729 entries, more than the limit",
        "8 | ffffffff | bitmap_table_size is 4294967295 entries, more than the limit",
        "12 | 00000008 | flags are 0x8, reserved bits are set",
        "12 | 80000000 | flags are 0x80000000, reserved bits are set",
        "16 | 02 | type is 2, not 1",
        "17 | 20 | granularity_bits is 32, not in 9..31",
        "17 | 08 | granularity_bits is 8, not in 9..31",
        "17 | ff | granularity_bits is 255, not in 9..31",
        "18 | 0000 | name_size is 0, not in 1..1023",
        "18 | ffff | entry of 65560 bytes ends past the directory",
        "20 | 00000001 | extra_data_size is 1, extra data is not supported",
        "20 | ffffffff | entry of 4294967320 bytes ends past the directory",
      })
  void aMalformedEntryIsCorrupt(int offset, String poke, String detail) {
    ByteBuffer entries = bytes(ENTRIES).put(32 + offset, HexFormat.of().parseHex(poke));
    BitmapDirectory directory = new BitmapDirectory(2, 64, 0x90000);

    assertThatThrownBy(() -> directory.decodeEntries(entries))
        .isInstanceOf(CorruptImageException.class)
        .hasMessage("Bitmap directory at host offset 0x90020: " + detail);
  }

  @Test
  void aNameLongerThanTheLimitIsCorrupt() {
    ByteBuffer directory = ByteBuffer.allocate(1048).put(bytes(ENTRIES).limit(24)).clear();
    directory.putShort(18, (short) 1024);

    assertThatThrownBy(() -> new BitmapDirectory(1, 1048, 0x90000).decodeEntries(directory))
        .hasMessage("Bitmap directory at host offset 0x90000: name_size is 1024, not in 1..1023");
  }

  @Test
  void theNumberOfEntriesMustBeTheOneThatWasAnnounced() {
    assertThatThrownBy(() -> new BitmapDirectory(1, 64, 0x90000).decodeEntries(bytes(ENTRIES)))
        .hasMessage("Bitmap directory at host offset 0x90020: more entries than nb_bitmaps (1)");
    assertThatThrownBy(() -> new BitmapDirectory(3, 64, 0x90000).decodeEntries(bytes(ENTRIES)))
        .hasMessage("Bitmap directory at host offset 0x90000: 2 entries, but nb_bitmaps is 3");
  }

  @Test
  void aDirectoryMayNotEndWithinTheHeadOfAnEntry() {
    assertThatThrownBy(
            () -> new BitmapDirectory(2, 48, 0x90000).decodeEntries(bytes(ENTRIES).limit(48)))
        .hasMessage("Bitmap directory at host offset 0x90020: entry ends past the directory");
  }
}
