package org.qcowfs.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.geometry.ClusterGeometry;

final class SnapshotEntryTest {
  private static final ClusterGeometry GEOMETRY = new ClusterGeometry(16, false);

  /** All that comes before the extra data; its length is left out. */
  private static final String HEAD =
      "0000000000060000" // l1_table_offset
          + "00000010" // l1_size
          + "0002" // id_str_size
          + "0005" // name_size
          + "5f5e1000" // date_sec
          + "075bcd15" // date_nsec
          + "000000012a05f201" // vm_clock_nsec
          + "00000400"; // vm_state_size

  private static final String ID_AND_NAME = "3137" + "6669727374"; // "17", "first"

  private static final String EXTRA_FIELDS =
      "0000000100000000" // vm_state_size_large
          + "0000000040000000" // disk size
          + "000000000000004d"; // icount

  private static ByteBuffer entry(int extraBytes) {
    String extra = EXTRA_FIELDS + "ee".repeat(Math.max(0, extraBytes - 24));
    String hex =
        HEAD + "%08x".formatted(extraBytes) + extra.substring(0, 2 * extraBytes) + ID_AND_NAME;
    int padding = (8 - hex.length() / 2 % 8) % 8;
    return ByteBuffer.wrap(HexFormat.of().parseHex(hex + "00".repeat(padding)));
  }

  @ParameterizedTest
  @CsvSource({"0", "8", "16", "24", "42", "1024"})
  void idAndNameFollowTheExtraDataWhateverItsLength(int extraBytes) {
    ByteBuffer bytes = entry(extraBytes);

    SnapshotEntry entry = SnapshotEntry.decode(bytes);

    assertThat(SnapshotEntry.entryBytes(bytes)).isEqualTo(bytes.capacity());
    assertThat(entry.id()).isEqualTo("17");
    assertThat(entry.name()).isEqualTo("first");
    assertThat(entry.l1TableOffset()).isEqualTo(0x60000);
    assertThat(entry.l1Entries()).isEqualTo(16);
    assertThat(entry.dateSeconds()).isEqualTo(1_600_000_000);
    assertThat(entry.dateNanos()).isEqualTo(123_456_789);
    assertThat(entry.vmClockNanos()).isEqualTo(5_000_000_001L);
    assertThat(entry.extraBytes()).isEqualTo(extraBytes);
    assertThat(entry.problem(GEOMETRY, 1 << 20)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0x400, , -1",
    "8, 0x100000000, , -1",
    "16, 0x100000000, 0x40000000, -1",
    "24, 0x100000000, 0x40000000, 77",
    "42, 0x100000000, 0x40000000, 77",
    "1024, 0x100000000, 0x40000000, 77",
  })
  void aFieldOfTheExtraDataCountsWhereTheExtraDataReachesIt(
      int extraBytes, String vmState, String diskBytes, long icount) {
    SnapshotEntry entry = SnapshotEntry.decode(entry(extraBytes));

    assertThat(entry.vmStateBytes()).isEqualTo(Long.decode(vmState));
    assertThat(entry.diskBytes()).isEqualTo(Optional.ofNullable(diskBytes).map(Long::decode));
    assertThat(entry.icount()).isEqualTo(icount);
  }

  @Test
  void theLengthOfAnEntryIsUnsigned() {
    ByteBuffer bytes = entry(0);
    bytes.putInt(36, -1).putShort(12, (short) -1).putShort(14, (short) -1);

    assertThat(SnapshotEntry.entryBytes(bytes)).isEqualTo(40 + 0xffff_ffffL + 2 * 0xffff + 3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | 0x60001 | L1 table offset 0x60001 is not aligned to a cluster",
        "0 | 0xff0000 | L1 table at host offset 0xff0000 with 16 entries lies past the end of the"
            + " file",
        "0 | -65536 | L1 table at host offset 0xffffffffffff0000 with 16 entries lies past the end"
            + " of the file",
        "8 | 4194305 | L1 table has 4194305 entries, more than the limit of 4194304",
        "8 | -1 | L1 table has 4294967295 entries, more than the limit of 4194304",
        "48 | -512 | disk size is 18446744073709551104 bytes, more than 2^63",
      })
  void whatCannotBeReadIsAProblemThatNamesTheValue(int field, String value, String problem) {
    ByteBuffer bytes = entry(24);
    long number = Long.decode(value);
    if (field == 8) {
      bytes.putInt(field, (int) number);
    } else {
      bytes.putLong(field, number);
    }

    assertThat(SnapshotEntry.decode(bytes).problem(GEOMETRY, 0xf0_0000)).contains(problem);
  }

  @Test
  void moreExtraDataThanTheLimitIsAProblem() {
    assertThat(SnapshotEntry.decode(entry(1024)).problem(GEOMETRY, 1 << 20)).isEmpty();
    SnapshotEntry over =
        new SnapshotEntry(0x60000, 16, "1", "a", 0, 0, 0, 0, Optional.empty(), -1, 1025);

    assertThat(over.problem(GEOMETRY, 1 << 20))
        .contains("1025 bytes of extra data, more than the limit of 1024");
  }
}
