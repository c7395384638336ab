package org.qcowfs.it.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.SmallImage;
import org.qcowfs.it.kit.TestDirectory;

/** What a user may get wrong: one line that says what and how to go on, and nothing left behind. */
@NeedsMounts
final class MountRefusalTest {
  private Path directory = Path.of("");
  private Path mountpoint = Path.of("");
  private Path image = Path.of("");

  @BeforeEach
  void createImage() throws IOException {
    directory = TestDirectory.create("refusal");
    mountpoint = Files.createDirectory(directory.resolve("mnt"));
    image = SmallImage.create(directory.resolve("vm.qcow2"));
  }

  @Test
  void aMissingImageIsNamed() {
    Path missing = directory.resolve("no-such.qcow2");
    assertThat(Qcowfs.mountRefused(missing, mountpoint))
        .contains(missing.toString())
        .containsPattern("(?i)no such");
  }

  @Test
  void aDirectoryIsNoImage() {
    Path folder = TestDirectory.create("folder");
    assertThat(Qcowfs.mountRefused(folder, mountpoint))
        .contains(folder.toString())
        .containsIgnoringCase("directory");
  }

  @Test
  void aFifoIsNoImageAndDoesNotHang() {
    Path fifo = directory.resolve("pipe");
    Command.of("mkfifo", fifo).run().succeeded();
    assertThat(Qcowfs.mountRefused(fifo, mountpoint)).contains(fifo.toString());
  }

  @Test
  void aFileOfNoKnownFormatIsNotGuessedAt() throws IOException {
    Path text = Files.writeString(directory.resolve("letter.txt"), "Dear image,");
    assertThat(Qcowfs.mountRefused(text, mountpoint))
        .contains(text.toString())
        .contains("format=raw");
  }

  @Test
  void aMissingMountpointIsNamed() {
    Path missing = directory.resolve("no-such-mountpoint");
    assertThat(Qcowfs.mountRefused(image, missing))
        .contains(missing.toString())
        .containsPattern("(?i)no such|does not exist");
  }

  @Test
  void aDirectoryWithFilesIsNotCoveredUp() throws IOException {
    Files.writeString(mountpoint.resolve("precious"), "mine");
    assertThat(Qcowfs.mountRefused(image, mountpoint))
        .contains(mountpoint.toString())
        .contains("not empty");
  }

  @Test
  void aMountpointInUseIsNamed() {
    try (MountedImage mounted = MountedImage.mountAt(mountpoint, image)) {
      assertThat(Qcowfs.mountRefused(image, mounted.mountpoint()))
          .contains(mountpoint.toString())
          .containsPattern("(?i)already|in use|busy");
      SmallImage.assertIsDisk(mounted.disk());
    }
  }

  @Test
  void aDeviceIsNoMountpoint() {
    Path device = Path.of("/dev/null");
    assertThat(Qcowfs.mountRefused(image, device))
        .contains(device.toString())
        .containsPattern("regular file|directory");
  }

  @Test
  void anUnknownSnapshotIsNamed() {
    QemuImg.snapshot(image, "installed");
    assertThat(Qcowfs.mountRefused(image, mountpoint, "snapshot=instaled")).contains("instaled");
  }

  @ParameterizedTest
  @CsvSource({
    "reed_only, reed_only",
    "refrences=any, references",
    "cahce=none, cache",
    "references, references",
    "backing_format=vmdk, vmdk",
    "l2_cache_size=lots, lots",
    "uid=nobody-at-all, nobody-at-all"
  })
  void anOptionThatMakesNoSenseIsWrongUsage(String option, String named) {
    Command mount = Qcowfs.mountCommand(image, mountpoint, option);
    assertThat(Qcowfs.refused(mount, mountpoint, 2)).contains(named);
  }

  @Test
  void aMissingArgumentIsWrongUsage() {
    assertThat(Qcowfs.run("mount", image).refusedWith(2)).contains("MOUNTPOINT");
    assertThat(Qcowfs.run("umount").refusedWith(2)).contains("MOUNTPOINT");
  }

  @Test
  void anUnknownCommandIsWrongUsageAndTheNearestIsOffered() {
    assertThat(Qcowfs.run("mont", image, mountpoint).refusedWith(2)).contains("mont", "mount");
  }

  @Test
  void unmountingWhatIsNotMountedIsRefused() {
    assertThat(Qcowfs.run("umount", mountpoint).refused())
        .contains(mountpoint.toString())
        .containsPattern("not mounted|nothing is mounted");
    Path missing = directory.resolve("no-such-mountpoint");
    assertThat(Qcowfs.run("umount", missing).refused()).contains(missing.toString());
  }

  @Test
  void aControlCharacterInANameStaysOnTheLine() {
    Path odd = directory.resolve("two\nlines");
    assertThat(Qcowfs.mountRefused(odd, mountpoint)).contains("two").contains("lines");
  }

  @Test
  void infoAndMapRefuseWhatMountRefuses() throws IOException {
    Path text = Files.writeString(directory.resolve("letter.txt"), "Dear image,");
    assertThat(Qcowfs.run("info", text).refused()).contains(text.toString());
    assertThat(Qcowfs.run("map", text).refused()).contains(text.toString());
  }
}
