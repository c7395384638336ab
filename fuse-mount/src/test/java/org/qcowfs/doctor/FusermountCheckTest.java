package org.qcowfs.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.doctor.Finding.Status;

final class FusermountCheckTest {
  private static final String PROGRAM = "/usr/bin/fusermount";
  private static final String APT = "apt-cache search --names-only ^fuse3$";

  @TempDir private Path root;
  private FakeHost machine;

  @BeforeEach
  void makeMachine() {
    machine = new FakeHost(root).withOutput(APT, "fuse3 - Filesystem in Userspace (3.x)\n");
  }

  @Test
  void itsAbsenceIsMissingAndAptNamesThePackage() throws IOException {
    Finding finding = new FusermountCheck(machine.ofUser()).examine();

    assertThat(finding.status()).isEqualTo(Status.MISSING);
    assertThat(finding.remedy()).contains("sudo apt-get install fuse3");
  }

  @Test
  void rootIsNotToldToUseSudo() throws IOException {
    Finding finding = new FusermountCheck(machine.ofRoot()).examine();

    assertThat(finding.remedy()).contains("apt-get install fuse3");
  }

  @Test
  void aProgramWithoutTheSetUserIdBitIsMissingForAUser() throws IOException {
    machine.withProgram(PROGRAM, 0100755);

    Finding finding = new FusermountCheck(machine.ofUser()).examine();

    assertThat(finding.status()).isEqualTo(Status.MISSING);
    assertThat(finding.remedy()).contains("sudo chmod u+s /usr/bin/fusermount");
  }

  @Test
  void aSetUserIdProgramOfRootIsOkForAUser() throws IOException {
    machine
        .withProgram(PROGRAM, 0104755)
        .withOutput(PROGRAM + " -V", "fusermount3 version: 3.14.0\n");
    assumeTrue(
        Files.getAttribute(root.resolve("usr/bin/fusermount"), "unix:uid").equals(0),
        "only root can make a file of root");

    Finding finding = new FusermountCheck(machine.ofUser()).examine();

    assertThat(finding).isEqualTo(Finding.ok("fusermount", PROGRAM + ", version 3.14.0"));
  }

  @Test
  void theNameWithAThreeAloneDoesNotServeAUser() throws IOException {
    machine.withProgram(PROGRAM + "3", 0104755);

    Finding finding = new FusermountCheck(machine.ofUser()).examine();

    assertThat(finding.status()).isEqualTo(Status.MISSING);
    assertThat(finding.remedy()).contains("sudo ln -s /usr/bin/fusermount3 /usr/bin/fusermount");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fusermount version: 2.9.8",
        "fusermount3 version: 3.2.5",
        "fusermount3 version: 4.0.0"
      })
  void theFirstVersionsWithoutTheHoleAreOk(String printed) throws IOException {
    machine.withProgram(PROGRAM, 0100755).withOutput(PROGRAM + " -V", printed + "\n");

    assertThat(new FusermountCheck(machine.ofRoot()).examine().status()).isEqualTo(Status.OK);
  }

  @ParameterizedTest
  @ValueSource(strings = {"2.9.7", "2.8.99", "3.2.4", "3.0.0"})
  void theLastVersionsWithTheHoleAreAWarning(String version) throws IOException {
    machine
        .withProgram(PROGRAM, 0100755)
        .withOutput(PROGRAM + " -V", "fusermount version: " + version + "\n");

    Finding finding = new FusermountCheck(machine.ofRoot()).examine();

    assertThat(finding.status()).isEqualTo(Status.WARNING);
    assertThat(finding.detail()).contains(version, "CVE-2018-10906");
    assertThat(finding.remedy().orElseThrow()).contains("fuse3");
  }

  @Test
  void aProgramThatHidesItsVersionIsAWarning() throws IOException {
    machine.withProgram(PROGRAM, 0100755);

    assertThat(new FusermountCheck(machine.ofRoot()).examine().status()).isEqualTo(Status.WARNING);
  }
}
