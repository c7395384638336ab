package org.qcowfs.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.doctor.Finding.Status;

final class FuseDeviceCheckTest {
  @TempDir private Path root;
  private FakeHost machine;

  @BeforeEach
  void makeMachine() {
    machine = new FakeHost(root);
  }

  @Test
  void aDeviceThatOpensIsOk() throws IOException {
    machine.withProgram("/dev/fuse", 0100666);

    Finding finding = new FuseDeviceCheck(machine.ofUser()).examine();

    assertThat(finding.status()).isEqualTo(Status.OK);
    assertThat(finding.detail()).contains("mode 0666");
    assertThat(finding.remedy()).isEmpty();
  }

  @Test
  void anAbsentDeviceIsMissingAndTheModuleIsTheRemedy() throws IOException {
    Finding finding = new FuseDeviceCheck(machine.ofUser()).examine();

    assertThat(finding.status()).isEqualTo(Status.MISSING);
    assertThat(finding.remedy().orElseThrow()).startsWith("sudo modprobe fuse");
  }

  @Test
  void aDeviceOfRootAloneIsMissingForAUserAndItsModeIsTheRemedy() throws IOException {
    machine.withProgram("/dev/fuse", 0100600);

    Finding finding =
        new FuseDeviceCheck(
                machine.ofUser(),
                file -> {
                  throw new AccessDeniedException(file.toString());
                })
            .examine();

    assertThat(finding.status()).isEqualTo(Status.MISSING);
    assertThat(finding.detail()).contains("mode 0600");
    assertThat(finding.remedy()).contains("sudo chmod 0666 /dev/fuse");
  }

  @Test
  void aDeviceThatAContainerForbidsIsMissingWithTheReason() throws IOException {
    machine.withProgram("/dev/fuse", 0100666);

    Finding finding =
        new FuseDeviceCheck(
                machine.ofRoot(),
                file -> {
                  throw new FileSystemException(file.toString(), null, "Operation not permitted");
                })
            .examine();

    assertThat(finding.status()).isEqualTo(Status.MISSING);
    assertThat(finding.detail()).contains("Operation not permitted");
    assertThat(finding.remedy().orElseThrow()).contains("--device /dev/fuse");
  }
}
