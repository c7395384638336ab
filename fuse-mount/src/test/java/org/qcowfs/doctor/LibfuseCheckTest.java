package org.qcowfs.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.doctor.Finding.Status;

final class LibfuseCheckTest {
  private static final String APT = "apt-cache search --names-only ^libfuse2(t64)?$";

  @TempDir private Path root;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/lib/x86_64-linux-gnu/libfuse.so.2",
        "/usr/lib/aarch64-linux-gnu/libfuse.so.2",
        "/usr/lib64/libfuse.so.2",
        "/usr/local/lib/libfuse.so.2"
      })
  void theLibraryIsFoundWhereDistributionsPutIt(String library) throws IOException {
    FakeHost machine = new FakeHost(root).withFile(library);

    assertThat(new LibfuseCheck(machine.ofUser()).examine())
        .isEqualTo(Finding.ok("libfuse 2", library));
  }

  @Test
  void libfuse3DoesNotServe() throws IOException {
    FakeHost machine = new FakeHost(root).withFile("/lib/x86_64-linux-gnu/libfuse3.so.3");

    assertThat(new LibfuseCheck(machine.ofUser()).examine().status()).isEqualTo(Status.MISSING);
  }

  @ParameterizedTest
  @ValueSource(strings = {"libfuse2", "libfuse2t64"})
  void thePackageIsCalledWhatAptCallsIt(String name) throws IOException {
    FakeHost machine =
        new FakeHost(root).withOutput(APT, name + " - Filesystem in Userspace (library)\n");

    assertThat(new LibfuseCheck(machine.ofUser()).examine().remedy())
        .contains("sudo apt-get install " + name);
  }

  @Test
  void withoutAptThePackageIsDescribed() throws IOException {
    assertThat(new LibfuseCheck(new FakeHost(root).ofUser()).examine().remedy().orElseThrow())
        .startsWith("install the package that holds libfuse.so.2");
  }
}
