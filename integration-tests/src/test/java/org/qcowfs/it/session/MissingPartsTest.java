package org.qcowfs.it.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.CommandResult;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.PrivateMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.SmallImage;
import org.qcowfs.it.kit.TestDirectory;

/** A machine that lacks something is told what, and which command mends it. */
@NeedsMounts
final class MissingPartsTest {
  private static final String FIND_LIBFUSE =
      "lib=$(realpath $(find /usr/lib /lib -name libfuse.so.2 | head -n 1))";

  /** Covers the library's directory with a copy-on-write one, from which it can be removed. */
  private static final String REMOVE_LIBFUSE =
      "mount -t tmpfs none /mnt; mkdir /mnt/upper /mnt/work; dir=$(dirname $lib); mount -t overlay"
          + " -o lowerdir=$dir,upperdir=/mnt/upper,workdir=/mnt/work none $dir;"
          + " rm $dir/libfuse.so.2*; umount -l /mnt";

  private Path directory = Path.of("");
  private Path mountpoint = Path.of("");
  private Path image = Path.of("");

  @BeforeEach
  void createImage() throws IOException {
    directory = TestDirectory.create("parts");
    mountpoint = Files.createDirectory(directory.resolve("mnt"));
    image = SmallImage.create(directory.resolve("vm.qcow2"));
  }

  @Test
  void withoutTheFuseDeviceItIsNamed() throws IOException {
    try (PrivateMounts machine = withoutFuseDevice()) {
      assertThat(refusal(machine)).contains("/dev/fuse").containsPattern("modprobe|doctor");
      assertDoctorNames(machine, "/dev/fuse");
    }
  }

  @Test
  void withoutLibfuseThePackageIsNamed() {
    try (PrivateMounts machine = PrivateMounts.create(FIND_LIBFUSE, REMOVE_LIBFUSE)) {
      assertThat(refusal(machine)).contains("libfuse2");
      assertDoctorNames(machine, "libfuse2");
    }
  }

  @Test
  void aDamagedLibfuseIsNamedWithItsPackage() {
    try (PrivateMounts machine =
        PrivateMounts.create(FIND_LIBFUSE, "mount --bind /dev/null $lib")) {
      assertThat(refusal(machine)).contains("libfuse2");
    }
  }

  @Test
  void onAMachineWithEverythingDoctorIsContent() {
    assertThat(Qcowfs.run("doctor").succeeded().stderr()).isEmpty();
  }

  private String refusal(PrivateMounts machine) {
    String line =
        Qcowfs.refused(machine.inside(Qcowfs.mountCommand(image, mountpoint)), mountpoint, 1);
    assertThat(machine.below(mountpoint)).isEmpty();
    return line;
  }

  private static void assertDoctorNames(PrivateMounts machine, String part) {
    CommandResult doctor = machine.inside(Qcowfs.command("doctor")).run().exited(1);
    assertThat(doctor.stdout()).contains(part);
  }

  /** A {@code /dev} with everything a program may want but {@code fuse}. */
  private PrivateMounts withoutFuseDevice() throws IOException {
    Path dev = Files.createDirectory(directory.resolve("dev"));
    return PrivateMounts.create(
        "mount -t tmpfs dev " + dev,
        "mkdir " + dev + "/shm",
        "for n in null zero full random urandom tty; do cp -a /dev/$n " + dev + "; done",
        "ln -s /proc/self/fd " + dev + "/fd",
        "mount --move " + dev + " /dev");
  }
}
