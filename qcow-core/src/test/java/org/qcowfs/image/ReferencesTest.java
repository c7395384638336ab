package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.error.ImageLockedException;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.error.ReferenceRefusedException;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.storage.HostFile;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.OpenFiles;

/** Which second host files an image gets opened, by policy and by trick. */
final class ReferencesTest {
  @TempDir private Path temporary;
  private Path root;
  private Path images;

  @BeforeEach
  void layOutFiles() throws Exception {
    root = temporary.toRealPath();
    images = Files.createDirectories(root.resolve("images"));
    for (String name :
        List.of(
            "images/base",
            "images/a:b",
            "images/sub/base",
            "other/base",
            "allowed/base",
            "allowed/deep/base",
            "allowed-not/base")) {
      Path file = root.resolve(name);
      Files.createDirectories(file.getParent());
      Files.write(file, new byte[1 << 16]);
    }
    Files.createSymbolicLink(images.resolve("link-in"), Path.of("base"));
    Files.createSymbolicLink(images.resolve("link-out"), Path.of("../other/base"));
    Files.createSymbolicLink(images.resolve("directory-out"), Path.of("../other"));
    Files.createSymbolicLink(images.resolve("link-null"), Path.of("/dev/null"));
    Files.createSymbolicLink(images.resolve("loop"), Path.of("loop"));
    Files.createSymbolicLink(root.resolve("allowed/out"), Path.of("../other/base"));
    Files.createSymbolicLink(root.resolve("other/into-allowed"), Path.of("../allowed/base"));
    assertThat(new ProcessBuilder("mkfifo", images + "/fifo").start().waitFor()).isZero();
  }

  @AfterEach
  void removeTheLinkThatLeadsOutOfTheTemporaryDirectory() throws IOException {
    Files.delete(images.resolve("link-null"));
  }

  private static ImageBuilder builder() {
    return new ImageBuilder(3, 16).virtualSize(1 << 16);
  }

  private Path top(ImageBuilder builder) throws IOException {
    return builder.build().writeTo(images.resolve("top.qcow2"));
  }

  private static OpenOptions options(String policy) {
    return OpenOptions.defaults().withReferences(ReferencePolicy.parse(policy));
  }

  private void assertOutcome(Path top, String policy, String outcome) throws IOException {
    if (outcome.equals("ok")) {
      Images.open(top, options(policy)).close();
    } else {
      assertThatExceptionOfType(Qcow2Exception.class)
          .as("references=%s", policy)
          .isThrownBy(() -> Images.open(top, options(policy)).close())
          .withMessageStartingWith(top + ": ")
          .withMessageContaining(outcome);
    }
    assertThat(OpenFiles.countIn(root)).as("files left open with %s", policy).isZero();
  }

  /** The name, then what comes of it with {@code same-dir}, {@code any} and a directory. */
  @Test
  void aNameWithLineBreaksIsQuotedOnOneLine() throws IOException {
    Path image = top(builder().backing("a\nb\u2028\u001b[m", "raw"));

    assertThatThrownBy(() -> Images.open(image, OpenOptions.defaults()))
        .hasMessage(image + ": its backing file 'a\\u000Ab\\u2028\\u001B[m' does not exist");
  }

  @ParameterizedTest
  @CsvFileSource(resources = "references.csv", delimiter = '|', nullValues = "-")
  void aReferenceIsFollowedWhereItsPolicyAllowsItsRealPath(
      String stored, String sameDirectory, String any, String directories) throws IOException {
    String name = stored.replace("ROOT", root.toString());
    for (ImageBuilder image : List.of(builder().backing(name, "raw"), builder().dataFile(name))) {
      Path top = top(image);
      assertOutcome(top, "same-dir", sameDirectory);
      assertOutcome(top, "any", any);
      assertOutcome(top, root.resolve("allowed") + ":/nowhere", directories);
      assertOutcome(top, "none", "references=none allows no second file");
    }
  }

  @Test
  void aDirectoryExchangedForALinkAllowsNothingOfWhereItLeads() throws IOException {
    Path top = top(builder());
    References references = new References(ReferencePolicy.sameDirectory(), Optional.empty());
    try (HostFile image = HostFile.openReadOnly(top)) {
      Path aside = Files.move(images, root.resolve("aside"));
      Files.createSymbolicLink(images, root.resolve("other"));
      assertThatExceptionOfType(ReferenceRefusedException.class)
          .isThrownBy(() -> references.open(image, "backing file", "base", false).close())
          .withMessageContaining("outside the directory of the image");
      Files.delete(images);
      Files.move(aside, images);
    }
  }

  @Test
  void aNameThatLeadsElsewhereOnceItHasPassedIsRefusedByWhatWasOpened() throws IOException {
    Path top = top(builder());
    References references =
        new References(
            ReferencePolicy.sameDirectory(),
            Optional.empty(),
            (real, writable) -> {
              Files.delete(real);
              Files.createSymbolicLink(real, root.resolve("other/base"));
              return HostFile.openReadOnly(real);
            });
    try (HostFile image = HostFile.openReadOnly(top)) {
      assertThatExceptionOfType(ReferenceRefusedException.class)
          .isThrownBy(() -> references.open(image, "backing file", "base", false).close())
          .withMessageContaining(root + "/other/base");
    }
    assertThat(OpenFiles.countIn(root)).isZero();
  }

  @Test
  void theMessageSaysWhatToDo() throws IOException {
    Path top = top(builder().backing("../other/base", "raw"));

    assertThatThrownBy(() -> Images.open(top, options("same-dir")).close())
        .isInstanceOf(ReferenceRefusedException.class)
        .hasMessage(
            "%s: its backing file '%s/other/base' lies outside the directory of the image; if you"
                + " trust the image, allow it with references=%s/other",
            top, root, root);
  }

  @Test
  void aNameWithNulIsCorrupt() throws IOException {
    assertOutcome(
        top(builder().backing("ba\0se", "raw")), "any", "not a file name: Nul character not");
    assertOutcome(
        top(builder().dataFile("ba\0se")), "any", "the name of its data file is not a file name");
  }

  @Test
  void infoOpensNoSecondFileAndSaysWhatIsStored() throws IOException {
    Path top = top(builder().backing("../missing", "raw"));

    ImageInfo info = Images.info(top, OpenOptions.defaults());

    assertThat(info.backing())
        .contains(
            new ImageInfo.Backing("../missing", images.resolve("../missing"), Optional.of("raw")));
    Path nul = top(builder().backing("ba\0se", "raw"));
    assertThatThrownBy(() -> Images.info(nul, OpenOptions.defaults()))
        .isInstanceOf(Qcow2Exception.class);
    assertThat(OpenFiles.countIn(root)).isZero();
  }

  @Test
  void anEmptyBackingNameIsNone() throws IOException {
    Path top = top(builder().backing("", "raw"));

    try (Image image = Images.open(top, options("none"))) {
      assertThat(image.info().backing()).isEmpty();
    }
  }

  @Test
  void anEmptyPartOfThePolicyIsNotTheWorkingDirectory() {
    assertThat(ReferencePolicy.parse("").directories()).isEmpty();
    assertThat(ReferencePolicy.parse(":/a::b:").directories())
        .containsExactly(Path.of("/a"), Path.of("b"));
    assertThat(ReferencePolicy.parse("same-dir")).isEqualTo(ReferencePolicy.sameDirectory());
  }

  @Test
  void aBackingFileWithoutARecordedFormatIsRefusedUnlessTheUserNamesOne() throws IOException {
    Path top = top(builder().backing("base", null));

    assertOutcome(top, "same-dir", "say backing_format=raw or backing_format=qcow2");
    Images.open(top, OpenOptions.defaults().withBackingFormat(ImageFormat.RAW)).close();
    assertThatThrownBy(
            () ->
                Images.open(top, OpenOptions.defaults().withBackingFormat(ImageFormat.QCOW2))
                    .close())
        .hasMessageStartingWith(images.resolve("base") + ": Header at host offset 0x0: magic is");
    assertThat(OpenFiles.countIn(root)).isZero();
  }

  @Test
  void aBackingFormatThatIsNotSupportedIsRefusedByName() throws IOException {
    Path top = top(builder().backing("base", "vmdk"));

    assertThatThrownBy(() -> Images.open(top, OpenOptions.defaults()).close())
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessage(
            "%s: its backing file has the format 'vmdk'; only qcow2 and raw are supported", top);
    assertThat(OpenFiles.countIn(root)).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"top.qcow2", "./top.qcow2", "self-link", "hard-link"})
  void anImageIsNotItsOwnBackingOrDataFile(String name) throws IOException {
    Path self = images.resolve("top.qcow2");
    Files.createSymbolicLink(images.resolve("self-link"), self);
    top(builder());
    Files.createLink(images.resolve("hard-link"), self);

    assertOutcome(top(builder().backing(name, "qcow2")), "same-dir", "already part of the chain");
    assertOutcome(top(builder().dataFile(name)), "same-dir", "already part of the chain");
  }

  @Test
  void twoImagesThatNameEachOtherAreAChainWithoutEnd() throws IOException {
    Path top = top(builder().backing("to-b", "qcow2"));
    builder().backing("top.qcow2", "qcow2").build().writeTo(images.resolve("b.qcow2"));
    Files.createSymbolicLink(images.resolve("to-b"), Path.of("b.qcow2"));

    assertThatThrownBy(() -> Images.open(top, OpenOptions.defaults()).close())
        .isInstanceOf(ReferenceRefusedException.class)
        .hasMessage(
            "%s: its backing file '%s' is already part of the chain: the chain has no end",
            images.resolve("b.qcow2"), top);
    assertThat(OpenFiles.countIn(root)).isZero();
  }

  /** Writes a chain of so many images and returns the topmost. */
  private Path chain(int length, boolean rawAtTheEnd) throws IOException {
    for (int i = 1; i < length; i++) {
      boolean last = i == length - 1;
      Path file = images.resolve("link-%d.qcow2".formatted(i));
      if (last && rawAtTheEnd) {
        Files.write(file, new byte[1 << 16]);
      } else {
        String next = "link-%d.qcow2".formatted(i + 1);
        String format = rawAtTheEnd && i == length - 2 ? "raw" : "qcow2";
        ImageBuilder image = last ? builder() : builder().backing(next, format);
        image.build().writeTo(file);
      }
    }
    return top(builder().backing("link-1.qcow2", "qcow2"));
  }

  @ParameterizedTest
  @CsvSource({"64, false, ok", "64, true, ok", "65, false, refused", "65, true, refused"})
  void aChainHasAtMost64Images(int length, boolean rawAtTheEnd, String outcome) throws IOException {
    Path top = chain(length, rawAtTheEnd);

    if (outcome.equals("ok")) {
      try (Image image = Images.open(top, OpenOptions.defaults())) {
        assertThat(OpenFiles.countIn(root)).isEqualTo(64);
        image.disk().read(ByteBuffer.allocate(1 << 16), 0);
      }
    } else {
      assertThatThrownBy(() -> Images.open(top, OpenOptions.defaults()).close())
          .isInstanceOf(ReferenceRefusedException.class)
          .hasMessageEndingWith("the backing chain goes on behind 64 images");
    }
    assertThat(OpenFiles.countIn(root)).isZero();
  }

  @Test
  void eachImageOfAChainIsHeldToItsOwnDirectory() throws IOException {
    builder().backing("base", "raw").build().writeTo(root.resolve("other/middle.qcow2"));
    Path top = top(builder().backing("../other/middle.qcow2", "qcow2"));

    assertOutcome(top, "any", "ok");
    assertOutcome(top, root + "/other", "ok");
    assertOutcome(top, "same-dir", "lies outside the directory of the image");
  }

  @Test
  void aBrokenImageWithinTheChainIsNamedAndNothingStaysOpen() throws IOException {
    Path middle = builder().backing("base", "raw").build().writeTo(images.resolve("middle.qcow2"));
    Path top = top(builder().backing("middle.qcow2", "qcow2"));
    Files.write(middle, new byte[] {'Q', 'F', 'I', (byte) 0xfb, 0, 0, 0, 9});

    assertThatThrownBy(() -> Images.open(top, OpenOptions.defaults()).close())
        .hasMessage(
            "%s: Header at host offset 0x0: the file has 8 bytes, a header needs 72", middle);
    assertThat(OpenFiles.countIn(root)).isZero();
  }

  @Test
  void aBackingFileThatIsBeingWrittenToIsRefused() throws IOException {
    Path top = top(builder().backing("base", "raw"));
    Path base = images.resolve("base");
    try (FileChannel channel = FileChannel.open(base);
        FileLock lock = channel.lock(101, 1, true)) {
      assertThat(lock.isShared()).isTrue();
      assertThatThrownBy(() -> Images.open(top, OpenOptions.defaults()).close())
          .isInstanceOf(ImageLockedException.class)
          .hasMessageStartingWith(base + ": another program has the image open for writing");
      Images.open(top, OpenOptions.defaults().withForceShare(true)).close();
    }
    assertThat(OpenFiles.countIn(root)).isZero();
  }
}
