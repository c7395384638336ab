package org.qcowfs.it.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Accelerator;
import org.qcowfs.it.kit.Await;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountTable;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.SmallImage;
import org.qcowfs.it.kit.TestDirectory;

/** However the daemon ends, the next mount at the same place works. */
@NeedsMounts
@Accelerator.BothWays
final class SignalTest {
  private Path directory = Path.of("");
  private Path mountpoint = Path.of("");
  private Path image = Path.of("");

  @BeforeEach
  void createImage() throws IOException {
    directory = TestDirectory.create("signal");
    mountpoint = Files.createDirectory(directory.resolve("mnt"));
    image = SmallImage.create(directory.resolve("vm.qcow2"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT", "HUP"})
  void aSignalUnmountsCleanly(String signal) {
    String before = DiskBytes.sha256(image);
    try (MountedImage mount = MountedImage.mountAt(mountpoint, image)) {
      SmallImage.assertIsDisk(mount.disk());
      ProcessHandle daemon = mount.daemon();

      Command.of("kill", "-" + signal, daemon.pid()).run().succeeded();
      Command.awaitEnd(daemon);
      mount.wasEnded();
    }
    assertThat(DiskBytes.sha256(image)).isEqualTo(before);
    assertMountsAgain();
  }

  @Test
  void afterAKilledDaemonTheNextMountClearsItsRemains() {
    MountedImage killed = MountedImage.mountAt(mountpoint, image);
    kill(killed);
    assertThat(MountTable.isMounted(mountpoint)).as("the remains").isTrue();
    assertMountsAgain();
  }

  @Test
  void afterAKilledDaemonUmountClearsItsRemains() {
    MountedImage killed = MountedImage.mountAt(mountpoint, image);
    kill(killed);
    killed.close();
  }

  @Test
  void afterAKilledDaemonAFileCanBeMountedOverAgain() throws IOException {
    Path target = Files.createFile(directory.resolve("disk"));
    kill(MountedImage.mountAt(target, image));
    try (MountedImage again = MountedImage.mountAt(target, image)) {
      SmallImage.assertIsDisk(again.mountpoint());
    }
  }

  @Test
  void inTheForegroundAnInterruptEndsTheMountAndSaysDone() throws Exception {
    // The tests may themselves have been started with the interrupt ignored, as a script's jobs
    // are.
    Command command =
        Qcowfs.mountCommand(image, mountpoint)
            .with(List.of("-f"))
            .under("env", "--default-signal=INT");
    Process foreground = command.start(directory.resolve("out"), directory.resolve("err"));
    Await.until("mounted", () -> MountTable.isMounted(mountpoint));
    SmallImage.assertIsDisk(mountpoint.resolve("disk.raw"));
    assertThat(foreground.isAlive()).isTrue();

    Command.of("kill", "-INT", foreground.pid()).run().succeeded();

    Command.awaitEnd(foreground.toHandle());
    assertThat(foreground.waitFor()).isZero();
    assertThat(MountTable.isMounted(mountpoint)).isFalse();
  }

  private static void kill(MountedImage mount) {
    ProcessHandle daemon = mount.daemon();
    daemon.destroyForcibly();
    Command.awaitEnd(daemon);
  }

  private void assertMountsAgain() {
    try (MountedImage again = MountedImage.mountAt(mountpoint, image)) {
      SmallImage.assertIsDisk(again.disk());
    }
  }
}
