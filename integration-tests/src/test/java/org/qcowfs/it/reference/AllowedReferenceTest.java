package org.qcowfs.it.reference;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.TestDirectory;

/** References that are allowed are followed, from whatever directory the user is in. */
@NeedsMounts
final class AllowedReferenceTest {
  private static final int VIRTUAL_BYTES = (int) Referrer.VIRTUAL_BYTES;

  private Path directory = Path.of("");
  private Path elsewhere = Path.of("");
  private Path image = Path.of("");

  @BeforeEach
  void createDirectories() throws IOException {
    Path top = TestDirectory.create("reference");
    directory = Files.createDirectory(top.resolve("images"));
    elsewhere = Files.createDirectory(top.resolve("elsewhere"));
    image = directory.resolve("vm.qcow2");
  }

  @Test
  void aBackingFileBesideTheImageIsFollowed() {
    Referrer.raw(directory.resolve("base.raw"));
    Referrer.overlay(image, "base.raw", "raw");
    assertMountShows(9);
  }

  @Test
  void anAbsoluteNameOfTheSameDirectoryIsFollowed() {
    Path base = Referrer.raw(directory.resolve("base.raw"));
    Referrer.overlay(image, base.toString(), "raw");
    assertMountShows(9);
  }

  @Test
  void aSymbolicLinkWithinTheDirectoryIsFollowed() throws IOException {
    Referrer.raw(directory.resolve("base.raw"));
    Files.createSymbolicLink(directory.resolve("current"), Path.of("base.raw"));
    Referrer.overlay(image, "current", "raw");
    assertMountShows(9);
  }

  @Test
  void besideASymbolicLinkToTheImageItsBackingFileIsFoundAsByQemu() throws IOException {
    Referrer.raw(elsewhere.resolve("base.raw"));
    Referrer.overlay(image, "base.raw", "raw");
    assertShows(Files.createSymbolicLink(elsewhere.resolve("link.qcow2"), image), 9);
  }

  @Test
  void aNameWithAColonIsOrdinary() {
    Referrer.raw(directory.resolve("disk:1.raw"));
    Referrer.overlay(image, "./disk:1.raw", "raw");
    assertMountShows(9);
  }

  @Test
  void referencesAnyAllowsAnotherDirectory() {
    Path base = Referrer.raw(elsewhere.resolve("base.raw"));
    Referrer.overlay(image, base.toString(), "raw");
    assertMountShows(9, "references=any");
  }

  @Test
  void referencesAllowsTheDirectoriesThatItNames() {
    Path base = Referrer.raw(elsewhere.resolve("base.raw"));
    Referrer.overlay(image, base.toString(), "raw");
    assertMountShows(9, "references=" + directory + ":" + elsewhere);
  }

  @Test
  void backingFormatStandsInForAMissingFormat() {
    Referrer.raw(directory.resolve("base"));
    Referrer.overlayWithoutFormat(image, "base");
    assertMountShows(9, "backing_format=raw");
  }

  @Test
  void anExternalDataFileIsFoundBesideTheImage() {
    Referrer.withDataFile(image, Path.of("vm.data"));
    assertMountShows(7);
  }

  @Test
  void anExternalDataFileElsewhereIsFollowedWhereAllowed() {
    Referrer.withDataFile(image, elsewhere.resolve("vm.data"));
    assertMountShows(7, "references=" + elsewhere);
  }

  @Test
  void aChainOf64ImagesIsFollowed() {
    assertShows(Referrer.chain(directory, 64), 3);
  }

  private void assertMountShows(int value, String... options) {
    assertShows(image, value, options);
  }

  private static void assertShows(Path image, int value, String... options) {
    byte[] expected = new byte[VIRTUAL_BYTES];
    Arrays.fill(expected, (byte) value);
    try (MountedImage mount = MountedImage.mount(image, options)) {
      DiskBytes.assertHolds(mount.disk(), 0, expected);
    }
  }
}
