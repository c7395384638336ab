package org.qcowfs.it.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.TestDirectory;

/**
 * Names in an image that lead to files the user did not offer. Each is refused with the name and
 * the way out, and the file is not even opened.
 */
@NeedsMounts
final class RefusedReferenceTest {
  private static final String SECRET = "secret-of-the-host";

  private Path directory = Path.of("");
  private Path outside = Path.of("");
  private Path mountpoint = Path.of("");
  private Path image = Path.of("");

  @BeforeEach
  void createDirectories() throws IOException {
    Path top = TestDirectory.create("reference");
    directory = Files.createDirectory(top.resolve("images"));
    outside = Referrer.raw(Files.createDirectory(top.resolve("elsewhere")).resolve(SECRET));
    mountpoint = Files.createDirectory(top.resolve("mnt"));
    image = directory.resolve("vm.qcow2");
  }

  @Test
  void aBackingFileOfAnotherDirectoryIsNotOpened() {
    Referrer.overlay(image, outside.toString(), "raw");
    assertThat(refusal(SECRET)).contains(outside.toString()).contains("references=");
  }

  @Test
  void aBackingFileAboveTheDirectoryIsNotOpened() {
    Referrer.overlay(image, "../elsewhere/" + SECRET, "raw");
    assertThat(refusal(SECRET)).contains(outside.toString()).contains("references=");
  }

  @Test
  void aBackingFileBehindASymbolicLinkIsNotOpened() throws IOException {
    Files.createSymbolicLink(directory.resolve("innocent.raw"), outside);
    Referrer.overlay(image, "innocent.raw", "raw");
    assertThat(refusal("innocent.raw")).contains(outside.toString()).contains("references=");
  }

  @Test
  void aDirectoryBehindASymbolicLinkIsNotEntered() throws IOException {
    Files.createSymbolicLink(directory.resolve("sub"), outside.getParent());
    Referrer.overlay(image, "sub/" + SECRET, "raw");
    assertThat(refusal(SECRET)).contains(outside.toString()).contains("references=");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "json:{\"driver\":\"file\",\"filename\":\"%s\"}",
        "nbd://localhost/%s",
        "file:%s",
        "fat:rw:%s"
      })
  void aNameIsAPathAndNothingElse(String pattern) {
    String name = pattern.formatted(outside);
    Referrer.overlay(image, name, "raw");
    assertThat(refusal(SECRET)).contains("backing file");
  }

  @Test
  void theFormatOfABackingFileIsNeverGuessed() {
    Referrer.raw(directory.resolve("unknown-format"));
    Referrer.overlayWithoutFormat(image, "unknown-format");
    assertThat(refusal("unknown-format")).contains("backing file").contains("backing_format=");
  }

  @Test
  void aBackingFormatThatIsNoneIsNamed() {
    Referrer.raw(directory.resolve("other-format"));
    Referrer.overlay(image, "other-format", "vmdk");
    assertThat(refusal("other-format")).contains("backing file").contains("vmdk");
  }

  @Test
  void anExternalDataFileOfAnotherDirectoryIsNotOpened() {
    Path data = outside.resolveSibling("secret-data");
    Referrer.withDataFile(image, data);
    assertThat(refusal("secret-data")).contains(data.toString()).contains("references=");
  }

  @Test
  void withReferencesNoneNoSecondFileIsOpened() {
    Referrer.raw(directory.resolve("beside.raw"));
    Referrer.overlay(image, "beside.raw", "raw");
    assertThat(refusal("beside.raw", "references=none")).contains("beside.raw");
  }

  @Test
  void anotherDirectoryThanTheAllowedOnesIsNotOpened() throws IOException {
    Path allowed = Files.createDirectory(directory.resolveSibling("allowed"));
    Referrer.overlay(image, outside.toString(), "raw");
    assertThat(refusal(SECRET, "references=" + allowed)).contains(outside.toString());
  }

  @Test
  void aFifoIsNotOpenedWhichWouldHang() {
    Command.of("mkfifo", directory.resolve("pipe")).run().succeeded();
    Referrer.overlay(image, "pipe", "raw");
    assertThat(refusal("pipe")).contains("pipe").contains("regular file");
  }

  @Test
  void aDeviceBesideTheImageIsNotOpened() {
    Command.of("mknod", directory.resolve("endless-node"), "c", "1", "5").run().succeeded();
    Referrer.overlay(image, "endless-node", "raw");
    assertThat(refusal("endless-node")).contains("endless-node").contains("regular file");
  }

  @Test
  void aDeviceIsNotOpenedEvenWhereAnyReferenceIsAllowed() {
    Referrer.overlay(image, "/dev/zero", "raw");
    assertThat(refusal("/dev/zero", "references=any"))
        .contains("/dev/zero")
        .contains("regular file");
  }

  @Test
  void aDirectoryIsNoBackingFile() throws IOException {
    Files.createDirectory(directory.resolve("folder"));
    Referrer.overlay(image, "folder", "raw");
    assertThat(refusal("folder")).contains("folder").contains("regular file");
  }

  @Test
  void aMissingBackingFileIsNamed() {
    Referrer.overlay(image, "gone.raw", "raw");
    assertThat(Qcowfs.mountRefused(image, mountpoint)).contains("gone.raw");
  }

  @Test
  void anImageThatIsItsOwnBackingFileIsRefused() {
    Referrer.overlay(image, "vm.qcow2", "qcow2");
    assertThat(Qcowfs.mountRefused(image, mountpoint)).containsPattern("loop|itself|already");
  }

  @Test
  void aRingOfBackingFilesIsRefused() {
    Referrer.overlay(directory.resolve("a.qcow2"), "b.qcow2", "qcow2");
    Referrer.overlay(directory.resolve("b.qcow2"), "a.qcow2", "qcow2");
    Referrer.overlay(image, "a.qcow2", "qcow2");
    assertThat(Qcowfs.mountRefused(image, mountpoint)).containsPattern("loop|itself|already");
  }

  @Test
  void aChainOf65ImagesIsRefused() {
    Path top = Referrer.chain(directory, 65);
    assertThat(Qcowfs.mountRefused(top, mountpoint)).contains("64");
  }

  @ParameterizedTest
  @ValueSource(strings = {"info", "check", "check -r all"})
  void commandsThatNeedNoSecondFileOpenNone(String words) throws IOException {
    Path second = directory.resolve("beside.raw");
    Referrer.raw(second);
    Referrer.overlay(image, second.toString(), "raw");
    assertNotOpened(words, "beside.raw");
    Files.delete(image);
    Referrer.withDataFile(image, directory.resolve("beside-data"));
    assertNotOpened(words, "beside-data");
  }

  private void assertNotOpened(String words, String name) {
    OpenedFiles opened = new OpenedFiles(directory.resolveSibling("trace"));
    Command command = Qcowfs.command((Object[]) words.split(" ", -1)).with(List.of(image));
    opened.watch(command).run().succeeded();
    opened.assertNever(name, image);
  }

  @ParameterizedTest
  @ValueSource(strings = {"map", "info --backing-chain"})
  void commandsThatFollowReferencesFollowOnlyThoseAllowed(String words) {
    Referrer.overlay(image, outside.toString(), "raw");
    OpenedFiles opened = new OpenedFiles(directory.resolveSibling("trace"));
    Command command = Qcowfs.command((Object[]) words.split(" ", -1)).with(List.of(image));
    assertThat(opened.watch(command).run().refused()).contains(outside.toString(), "references=");
    opened.assertNever(SECRET, image);
  }

  /** Mounts in vain and asserts that no file with that in its path was opened meanwhile. */
  private String refusal(String unopened, String... options) {
    OpenedFiles opened = new OpenedFiles(directory.resolveSibling("trace"));
    Command mount = opened.watch(Qcowfs.mountCommand(image, mountpoint, options));
    String line = Qcowfs.refused(mount, mountpoint, 1);
    opened.assertNever(unopened, image);
    assertThat(line).contains(image.toString());
    return line;
  }
}
