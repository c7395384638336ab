package org.qcowfs.it.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.Await;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.SmallImage;
import org.qcowfs.it.kit.TestDirectory;

/** QEMU and a mount keep each other from changing what the other one reads. */
@NeedsMounts
final class LockTest {
  private Path directory = Path.of("");
  private Path mountpoint = Path.of("");
  private Path image = Path.of("");

  @BeforeEach
  void createImage() throws IOException {
    directory = TestDirectory.create("lock");
    mountpoint = Files.createDirectory(directory.resolve("mnt"));
    image = SmallImage.create(directory.resolve("vm.qcow2"));
  }

  @Test
  void readersShareAnImageAndWritersWait() {
    try (MountedImage first = MountedImage.mount(image, "ro");
        MountedImage second = MountedImage.mount(image, "ro")) {
      SmallImage.assertIsDisk(first.disk());
      SmallImage.assertIsDisk(second.disk());
      QemuImg.info(image);

      Command write = Command.of("qemu-io", "-f", "qcow2", "-c", "write 0 512", image);
      assertThat(write.run().stderr()).contains("lock");
    }
    new QemuIo().write(1, 0, 512).run(image);
  }

  @Test
  void aVirtualMachineThatWritesKeepsAMountOut() {
    Process writer = startWriter();
    try {
      assertThat(Qcowfs.mountRefused(image, mountpoint, "ro"))
          .contains(image.toString())
          .containsPattern("(?i)lock|in use|another process");
    } finally {
      stop(writer);
    }
  }

  @Test
  void forceShareReadsBesideAWriter() {
    Process writer = startWriter();
    try (MountedImage mount = MountedImage.mount(image, "ro", "force_share")) {
      SmallImage.assertIsDisk(mount.disk());
    } finally {
      stop(writer);
    }
  }

  @Test
  void aMountOfAnOverlayLocksTheBackingFileToo() {
    Path overlay = QemuImg.createOverlay(directory.resolve("top.qcow2"), "vm.qcow2", "qcow2");
    try (MountedImage mount = MountedImage.mount(overlay, "ro")) {
      SmallImage.assertIsDisk(mount.disk());
      Command write = Command.of("qemu-io", "-f", "qcow2", "-c", "write 0 512", image);
      assertThat(write.run().stderr()).contains("lock");
    }
  }

  /** A process that has the image open for writing, as a running virtual machine has. */
  private Process startWriter() {
    Path ready = directory.resolve("pid");
    Command daemon =
        Command.of(
            "qemu-storage-daemon",
            "--blockdev",
            "driver=file,node-name=f,filename=" + image,
            "--blockdev",
            "driver=qcow2,node-name=q,file=f",
            "--nbd-server",
            "addr.type=unix,addr.path=" + directory.resolve("nbd"),
            "--export",
            "type=nbd,id=e,node-name=q,writable=on",
            "--pidfile",
            ready);
    Process writer = daemon.start(directory.resolve("out"), directory.resolve("err"));
    Await.until("a writer on " + image, () -> Files.exists(ready) || !writer.isAlive());
    assertThat(writer.isAlive()).as("the writer goes on").isTrue();
    return writer;
  }

  private static void stop(Process writer) {
    writer.destroy();
    Command.awaitEnd(writer.toHandle());
  }
}
