package org.qcowfs.it.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.CommandResult;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountTable;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.SmallImage;
import org.qcowfs.it.kit.TestDirectory;

/** Where an image can be mounted, and how it comes off again. */
@NeedsMounts
final class MountpointTest {
  private Path directory = Path.of("");
  private Path mountpoint = Path.of("");
  private Path image = Path.of("");

  @BeforeEach
  void createImage() throws IOException {
    directory = TestDirectory.create("place");
    mountpoint = Files.createDirectory(directory.resolve("mnt"));
    image = SmallImage.create(directory.resolve("vm.qcow2"));
  }

  @Test
  void overAFileTheDiskItselfAppears() throws IOException {
    Path target = Files.writeString(directory.resolve("disk"), "what was there");
    try (MountedImage mount = MountedImage.mountAt(target, image)) {
      assertThat(Files.size(mount.mountpoint())).isEqualTo(SmallImage.VIRTUAL_BYTES);
      SmallImage.assertIsDisk(target);
    }
    assertThat(target).hasContent("what was there");
  }

  @Test
  void overItsOwnPathAnImageBecomesItsDisk() {
    String before = DiskBytes.sha256(image);
    try (MountedImage mount = MountedImage.mountAt(image, image)) {
      SmallImage.assertIsDisk(mount.mountpoint());
    }
    assertThat(DiskBytes.sha256(image)).isEqualTo(before);
  }

  @Test
  void aBusyMountStaysAndItsUsersAreNamed() throws IOException {
    try (MountedImage mount = MountedImage.mountAt(mountpoint, image)) {
      Process user =
          new ProcessBuilder("tail", "-f", "/dev/null")
              .redirectInput(mount.disk().toFile())
              .start();
      try {
        assertThat(Qcowfs.run("umount", mountpoint).refused())
            .contains(mountpoint.toString())
            .contains("" + user.pid())
            .contains("tail");
        SmallImage.assertIsDisk(mount.disk());
      } finally {
        user.destroyForcibly();
        Command.awaitEnd(user.toHandle());
      }
    }
  }

  @Test
  void throughASymbolicLinkItGoesOnAndOff() throws IOException {
    Path link = Files.createSymbolicLink(directory.resolve("link"), mountpoint);
    Qcowfs.run("mount", image, link).succeeded();
    assertThat(MountTable.isMounted(mountpoint)).isTrue();
    SmallImage.assertIsDisk(link.resolve("disk.raw"));
    Qcowfs.run("umount", link).succeeded();
    assertThat(MountTable.isMounted(mountpoint)).isFalse();
  }

  @Test
  void relativePathsAreThoseOfTheUser() {
    Command mount = Qcowfs.command("mount", "-o", "ro", "vm.qcow2", "mnt").in(directory);
    try (MountedImage mounted = MountedImage.mountBy(mount, mountpoint)) {
      SmallImage.assertIsDisk(mounted.disk());
      Qcowfs.command("info", "vm.qcow2").in(directory).run().succeeded();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"with blank", "a,ro,b", "quote'\"$(id)", "two\nlines", "fsname=x\\", "Ünïcode"})
  void anyFileNameWillDo(String name) throws IOException {
    Path folder = Files.createDirectory(directory.resolve(name));
    Path oddImage = SmallImage.create(folder.resolve(name));
    Path oddMountpoint = Files.createDirectory(folder.resolve(name + " mnt"));
    try (MountedImage mount = MountedImage.mountAt(oddMountpoint, oddImage)) {
      SmallImage.assertIsDisk(mount.disk());
    }
  }

  @Test
  void aMountInAPipelineLetsItEnd() {
    String pipeline = "%s mount %s %s 2>&1 | cat".formatted(Qcowfs.command(), image, mountpoint);
    try (MountedImage mount = MountedImage.mountBy(Command.of("sh", "-c", pipeline), mountpoint)) {
      SmallImage.assertIsDisk(mount.disk());
    }
  }

  @Test
  void theLauncherWorksThroughASymbolicLinkAndFromAnywhere() throws IOException {
    Path link =
        Files.createSymbolicLink(directory.resolve("qcowfs"), Path.of(Qcowfs.command().toString()));
    CommandResult version = Command.of(link, "--version").in(directory).run().succeeded();
    assertThat(version.stdout()).contains("qcowfs");
    assertThat(version.stderr()).isEmpty();
  }

  @Test
  void everyCommandExplainsItself() {
    for (String command : new String[] {"mount", "umount", "info", "map", "doctor"}) {
      CommandResult help = Qcowfs.run(command, "--help").succeeded();
      assertThat(help.stdout()).contains(command);
      assertThat(help.stderr()).isEmpty();
    }
  }

  @Test
  void onlyReadingIsPossible() {
    try (MountedImage mount = MountedImage.mountAt(mountpoint, image, "ro")) {
      String write = "echo x 1<> " + mount.disk();
      assertThat(Command.of("sh", "-c", write).run().stderr()).contains("Read-only file system");
      assertThat(Command.of("rm", "-f", mount.disk()).run().stderr())
          .contains("Read-only file system");
    }
  }
}
