package org.qcowfs.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.doctor.Finding.Status;

/** The checks that ask one question each. */
final class SmallChecksTest {
  @TempDir private Path root;
  private FakeHost machine;

  @BeforeEach
  void makeMachine() {
    machine = new FakeHost(root);
  }

  @Test
  void aKernelThatListsFuseIsOk() throws IOException {
    machine.withFile("/proc/filesystems", "nodev\ttmpfs", "nodev\tfuse");

    assertThat(new FuseModuleCheck(machine.ofUser()).examine().status()).isEqualTo(Status.OK);
  }

  @Test
  void fuseblkAloneIsNotFuse() throws IOException {
    machine.withFile("/proc/filesystems", "\tfuseblk");

    assertThat(new FuseModuleCheck(machine.ofUser()).examine().status()).isEqualTo(Status.MISSING);
  }

  @Test
  void aModuleThatTheDeviceMayLoadIsAWarning() throws IOException {
    machine.withFile("/dev/fuse");

    Finding finding = new FuseModuleCheck(machine.ofUser()).examine();

    assertThat(finding.status()).isEqualTo(Status.WARNING);
    assertThat(finding.remedy()).contains("sudo modprobe fuse");
  }

  @Test
  void rootWithEveryCapabilityMayMount() throws IOException {
    machine.withFile("/proc/self/status", "Name:\tjava", "CapEff:\t000001ffffffffff");

    assertThat(new MountRightCheck(machine.ofRoot()).examine().status()).isEqualTo(Status.OK);
  }

  @Test
  void rootOfAContainerWithoutSysAdminMayNotMount() throws IOException {
    machine.withFile("/proc/self/status", "CapEff:\t00000000a80425fb");

    Finding finding = new MountRightCheck(machine.ofRoot()).examine();

    assertThat(finding.status()).isEqualTo(Status.MISSING);
    assertThat(finding.remedy().orElseThrow()).contains("--cap-add SYS_ADMIN");
  }

  @Test
  void aUserWhoMayNotGainPrivilegesMayNotMount() throws IOException {
    machine.withFile("/proc/self/status", "NoNewPrivs:\t1");

    assertThat(new MountRightCheck(machine.ofUser()).examine().status()).isEqualTo(Status.MISSING);
  }

  @Test
  void aUserCannotUnmountWithoutAMountTable() throws IOException {
    Finding finding = new MountTableCheck(machine.ofUser()).examine();

    assertThat(finding.status()).isEqualTo(Status.MISSING);
    assertThat(finding.remedy()).contains("sudo ln -s ../proc/self/mounts /etc/mtab");
    assertThat(new MountTableCheck(machine.ofRoot()).examine().status()).isEqualTo(Status.OK);
    machine.withFile("/etc/mtab");
    assertThat(new MountTableCheck(machine.ofUser()).examine().status()).isEqualTo(Status.OK);
  }

  @Test
  void allowOtherIsAWarningForAUserUnlessTheLineIsThere() throws IOException {
    machine.withFile("/etc/fuse.conf", "#user_allow_other");

    Finding finding = new AllowOtherCheck(machine.ofUser()).examine();

    assertThat(finding.status()).isEqualTo(Status.WARNING);
    assertThat(finding.remedy()).contains("echo user_allow_other | sudo tee -a /etc/fuse.conf");
    machine.withFile("/etc/fuse.conf", "# words", "user_allow_other ");
    assertThat(new AllowOtherCheck(machine.ofUser()).examine().status()).isEqualTo(Status.OK);
  }

  @Test
  void allowOtherIsAlwaysThereForRoot() {
    assertThat(new AllowOtherCheck(machine.ofRoot()).examine().status()).isEqualTo(Status.OK);
  }

  @Test
  void java17IsTheOldestThatServes() {
    assertThat(new JavaCheck(machine.ofUser(), 17, "/jvm").examine().status()).isEqualTo(Status.OK);
    assertThat(new JavaCheck(machine.ofUser(), 16, "/jvm").examine().status())
        .isEqualTo(Status.MISSING);
  }

  @Test
  void locksAreTriedAndNothingIsLeftBehind() throws IOException {
    assertThat(new LockCheck(root).examine().status()).isEqualTo(Status.OK);
    try (Stream<Path> left = Files.list(root)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void aFileSystemWithoutLocksIsMissingWithTheReason() throws IOException {
    LockCheck check =
        new LockCheck(
            root,
            file -> {
              throw new IOException("No locks available");
            });

    Finding finding = check.examine();

    assertThat(finding.status()).isEqualTo(Status.MISSING);
    assertThat(finding.detail()).contains("No locks available");
    try (Stream<Path> left = Files.list(root)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void aNativeLibraryThatCannotBeLoadedIsMissing() throws IOException {
    LockCheck check =
        new LockCheck(
            root,
            file -> {
              throw new UnsatisfiedLinkError("failed to map segment");
            });

    assertThat(check.examine().status()).isEqualTo(Status.MISSING);
  }

  @Test
  void anAbsentDirectoryOfImagesIsAWarning() throws IOException {
    assertThat(new LockCheck(root.resolve("absent")).examine().status()).isEqualTo(Status.WARNING);
  }

  @Test
  void theSpaceForLogsIsMeasuredWhereTheyWillLie() {
    assertThat(new LogSpaceCheck(machine.ofUser()).examine().detail())
        .endsWith("free for /home/somebody/.local/state/qcowfs");
    assertThat(new LogSpaceCheck(machine.ofRoot()).examine().detail())
        .endsWith("free for /var/log/qcowfs");
  }
}
