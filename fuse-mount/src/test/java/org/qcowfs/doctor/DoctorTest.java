package org.qcowfs.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.doctor.Finding.Status;

final class DoctorTest {
  private static final Finding OK = Finding.ok("Java", "Java 17");
  private static final Finding WARNING = Finding.warning("allow_other", "refused", "do \"this\"");
  private static final Finding MISSING = Finding.missing("libfuse 2", "absent", "install it");

  @Test
  void warningsDoNotKeepAMountFromWorking() {
    assertThat(Doctor.isReady(List.of(OK, WARNING))).isTrue();
    assertThat(Doctor.isReady(List.of(OK, MISSING, WARNING))).isFalse();
  }

  @Test
  void aCheckThatFailsIsAFindingAndTheOthersGoOn() {
    Check failing =
        new Check() {
          @Override
          public String name() {
            return "broken";
          }

          @Override
          public Finding examine() throws IOException {
            throw new IOException("Input/output error");
          }
        };
    Check good =
        new Check() {
          @Override
          public String name() {
            return "Java";
          }

          @Override
          public Finding examine() {
            return OK;
          }
        };

    List<Finding> findings = new Doctor(List.of(failing, good)).examine();

    assertThat(findings).extracting(Finding::name).containsExactly("broken", "Java");
    assertThat(findings.get(0).status()).isEqualTo(Status.WARNING);
    assertThat(findings.get(0).detail()).contains("Input/output error");
  }

  @Test
  void everyThingThatAMountNeedsIsExamined(@TempDir Path images) throws IOException {
    assertThat(Doctor.examine(images))
        .extracting(Finding::name)
        .containsExactly(
            "FUSE device",
            "kernel module",
            "right to mount",
            "fusermount",
            "mount table",
            "libfuse 2",
            "allow_other",
            "Java",
            "image locks",
            "space for logs");
  }

  @Test
  void theTextPutsTheRemedyBelowTheFinding() {
    assertThat(new DoctorReport(List.of(OK, MISSING)).text().lines())
        .containsExactly(
            "ok       Java            Java 17",
            "missing  libfuse 2       absent",
            "                         -> install it",
            "A mount would not work yet: do what stands behind the arrows.");
    assertThat(new DoctorReport(List.of(OK)).text()).endsWith("A mount would work.\n");
  }

  @Test
  void theJsonHoldsEveryField() throws IOException {
    JsonNode json = new ObjectMapper().readTree(new DoctorReport(List.of(OK, WARNING)).json());

    assertThat(json.get("ready").booleanValue()).isTrue();
    assertThat(json.get("checks")).hasSize(2);
    assertThat(json.at("/checks/0/remedy").isMissingNode()).isTrue();
    assertThat(json.at("/checks/1/name").textValue()).isEqualTo("allow_other");
    assertThat(json.at("/checks/1/status").textValue()).isEqualTo("warning");
    assertThat(json.at("/checks/1/detail").textValue()).isEqualTo("refused");
    assertThat(json.at("/checks/1/remedy").textValue()).isEqualTo("do \"this\"");
  }
}
