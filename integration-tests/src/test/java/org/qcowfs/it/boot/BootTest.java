package org.qcowfs.it.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.Checkout;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.TestDirectory;

/**
 * A Linux kernel of the distribution runs in QEMU with the mounted disk as its own, and what it
 * wrote is in the image. Emulated and without KVM, so that it runs the same everywhere.
 */
@NeedsMounts
final class BootTest {
  private static final long SIZE = 128 << 20;
  private static final Path MODULE = Checkout.root().resolve("integration-tests");
  private static final Path SCRIPTS = MODULE.resolve("src/test/resources/guest");

  /** Fetched once; a clean build fetches it again. */
  private static final Path GUEST = MODULE.resolve("target/guest");

  private final Path directory = TestDirectory.create("boot");

  @Test
  void aGuestWritesFilesToTheMountedDisk() {
    Command.of(SCRIPTS.resolve("fetch-kernel"), GUEST).run().succeeded();
    Command.of(SCRIPTS.resolve("make-initramfs"), GUEST, SCRIPTS.resolve("init")).run().succeeded();
    Path image = QemuImg.create(directory.resolve("vm.qcow2"), "", SIZE);

    String said;
    try (MountedImage mount = MountedImage.mount(image, "rw")) {
      said = boot(mount.disk());
    }

    assertThat(said).contains("the guest is done");
    QemuImg.on(image, "check", "-q", image);
    Path raw = QemuImg.toRaw(image);
    Command.of("e2fsck", "-fn", raw).run().succeeded();
    assertThat(debugfs("cat /greeting", raw)).isEqualTo("written by a guest\n");
    Path random = directory.resolve("random");
    debugfs("dump /random " + random, raw);
    assertThat(said).contains("random: " + DiskBytes.sha256(random));
    TestDirectory.delete(directory);
  }

  /** What the guest says on its console until it powers off. */
  private static String boot(Path disk) {
    return Command.of("qemu-system-x86_64", "-machine", "pc,accel=tcg", "-m", "256")
        .with(List.of("-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"))
        .with(List.of("-kernel", GUEST.resolve("vmlinuz"), "-initrd", GUEST.resolve("initramfs")))
        .with(List.of("-append", "console=ttyS0 panic=-1 quiet"))
        .with(List.of("-drive", "file=" + disk + ",format=raw,if=virtio"))
        .within(Duration.ofMinutes(3))
        .run()
        .succeeded()
        .stdout();
  }

  private static String debugfs(String request, Path raw) {
    return Command.of("debugfs", "-R", request, raw).run().succeeded().stdout();
  }
}
