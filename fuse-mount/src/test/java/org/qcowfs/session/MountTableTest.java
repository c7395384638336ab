package org.qcowfs.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class MountTableTest {
  private static final String ROOT = "27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n";
  private static final String LOWER =
      "40 27 0:41 / /mnt/a ro,nosuid,nodev - fuse.qcowfs /img/a.qcow2 ro,user_id=1000,group_id=5\n";
  private static final String UPPER =
      "41 40 0:42 / /mnt/a rw shared:7 master:3 - tmpfs tmpfs rw,size=4k\n";

  @Test
  void theFieldsOfALineAreFoundWhateverOptionalOnesItHas() {
    MountEntry entry = MountTable.parse(ROOT + LOWER).at(Path.of("/mnt/a")).orElseThrow();

    assertThat(entry.id()).isEqualTo(40);
    assertThat(entry.parentId()).isEqualTo(27);
    assertThat(entry.device()).isEqualTo("0:41");
    assertThat(entry.source()).isEqualTo("/img/a.qcow2");
    assertThat(entry.mountingUser()).hasValue(1000);
    assertThat(entry.isOurs()).isTrue();
    assertThat(MountTable.parse(ROOT).at(Path.of("/")).orElseThrow().source())
        .isEqualTo("/dev/sda1");
  }

  @Test
  void ofTwoMountsAtOnePlaceTheLaterIsOnTop() {
    MountTable table = MountTable.parse(ROOT + LOWER + UPPER);

    assertThat(table.at(Path.of("/mnt/a")).orElseThrow().type()).isEqualTo("tmpfs");
    assertThat(table.inside(MountEntry.parse(LOWER.strip()).orElseThrow()))
        .extracting(MountEntry::id)
        .containsExactly(41);
  }

  @Test
  void aMountIsKnownByNumberAndDeviceAndNotByItsPlace() {
    MountEntry lower = MountEntry.parse(LOWER.strip()).orElseThrow();

    assertThat(MountTable.parse(ROOT + LOWER).contains(lower)).isTrue();
    assertThat(MountTable.parse(ROOT + LOWER.replace("0:41", "0:43")).contains(lower)).isFalse();
    assertThat(MountTable.parse(ROOT + LOWER.replace("40 27", "44 27")).contains(lower)).isFalse();
  }

  @Test
  void escapedBytesOfAPathAreUndone() {
    String line = LOWER.replace("/mnt/a", "/mnt/a\\040b\\012c\\134d\\011é,\\303\\251");

    assertThat(MountTable.parse(line).at(Path.of("/mnt/a b\nc\\d\té,é"))).isPresent();
  }

  @Test
  void ofTheCharactersInANameOnlyANewlineEndsALineAndThatIsEscaped() {
    String breaks = "\r\u0085\u2028\f\u001d";
    MountTable table = MountTable.parse(LOWER.replace("/mnt/a", "/mnt/" + breaks));

    assertThat(table.entries()).hasSize(1);
    assertThat(table.at(Path.of("/mnt/" + breaks))).isPresent();
  }

  @Test
  void aLineThatIsNoneIsPassedOver() {
    assertThat(MountTable.parse("x y z\n\n40 27 0:41 / /mnt\n" + ROOT).entries()).hasSize(1);
  }

  @Test
  void theDeviceNumberOfStatIsNamedAsTheTableNamesIt() {
    assertThat(NewMount.deviceName(0x29)).isEqualTo("0:41");
    assertThat(NewMount.deviceName(0x801)).isEqualTo("8:1");
    assertThat(NewMount.deviceName(0x10_002cL)).isEqualTo("0:300");
  }
}
