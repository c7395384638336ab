package org.qcowfs.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class DaemonLogTest {
  @Test
  void aMountpointBecomesAFileNameOfItsOwn() {
    assertThat(DaemonLog.nameOf(Path.of("/mnt/vm_1.raw"))).isEqualTo("mnt-vm_1.raw");
    assertThat(DaemonLog.nameOf(Path.of("/mnt-vm_1.raw"))).isEqualTo("mnt%2Dvm_1.raw");
    assertThat(DaemonLog.nameOf(Path.of("/a b\né,%"))).isEqualTo("a%20b%0A%C3%A9%2C%25");
  }

  @Test
  void aLongMountpointIsCutAndStaysItsOwn() {
    String common = "/" + "x".repeat(300);
    String one = DaemonLog.nameOf(Path.of(common + "1"));

    assertThat(one).hasSizeLessThan(220).isNotEqualTo(DaemonLog.nameOf(Path.of(common + "2")));
  }
}
