package org.qcowfs.it.malformed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.TestDirectory;

/** What a user sees of an image that breaks the format: the field and its value, never a hang. */
@NeedsMounts
@Execution(ExecutionMode.CONCURRENT)
final class MalformedImagesTest {
  private static final int CLUSTER = 64 << 10;

  /** The range of the base images that no damage touches. */
  private static final long INTACT_OFFSET = 1 << 20;

  static Stream<MalformedImage> corpus() {
    return MalformedImage.corpus();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("corpus")
  void aBrokenFieldIsNamedWithItsValue(MalformedImage malformed) throws IOException {
    Path directory = TestDirectory.create("malformed");
    Path image = malformed.createAt(directory.resolve("broken.qcow2"));
    String before = DiskBytes.sha256(image);

    switch (malformed.outcome()) {
      case REFUSED -> assertRefused(image, malformed.words());
      case MOUNTED_WITHOUT_PART -> assertReasonShown(image, malformed);
      case CLUSTER_UNREADABLE -> assertOnlyFirstClusterUnreadable(image, malformed.base());
      case READ_AS_USUAL -> assertReadsAs(image, malformed.base());
    }

    assertThat(DiskBytes.sha256(image)).as("image after all this").isEqualTo(before);
    TestDirectory.delete(directory);
  }

  private static void assertRefused(Path image, List<Pattern> words) throws IOException {
    Path mountpoint = Files.createDirectory(image.resolveSibling("mnt"));
    String line = Qcowfs.mountRefused(image, mountpoint);
    assertThat(line).contains(image.toString());
    words.forEach(word -> assertThat(line).containsPattern(word));
    assertThat(line).doesNotContain("Exception");
  }

  private static void assertReasonShown(Path image, MalformedImage malformed) throws IOException {
    assertReadsAs(image, malformed.base());
    String shown = Qcowfs.run("info", image).succeeded().stdout();
    malformed.words().forEach(word -> assertThat(shown).containsPattern(word));
    assertThat(shown)
        .containsPattern("(?i)broken|cannot|not |past|beyond|more than|unknown|invalid");
  }

  private static void assertReadsAs(Path image, BaseImage base) throws IOException {
    try (MountedImage mount = MountedImage.mount(image)) {
      assertReads(mount, base, 0, 2 * CLUSTER);
      assertReads(mount, base, INTACT_OFFSET, CLUSTER);
    }
  }

  private static void assertOnlyFirstClusterUnreadable(Path image, BaseImage base)
      throws IOException {
    try (MountedImage mount = MountedImage.mount(image)) {
      assertThatThrownBy(() -> DiskBytes.read(mount.disk(), 0, CLUSTER))
          .hasMessageContaining("Input/output error");
      assertReads(mount, base, INTACT_OFFSET, CLUSTER);
    }
  }

  private static void assertReads(MountedImage mount, BaseImage base, long offset, int length)
      throws IOException {
    assertThat(Files.size(mount.disk())).isEqualTo(BaseImage.VIRTUAL_BYTES);
    DiskBytes.assertHolds(mount.disk(), offset, base.contents(length));
  }
}
