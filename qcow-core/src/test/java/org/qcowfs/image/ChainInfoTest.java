package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.error.ReferenceRefusedException;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.OpenFiles;

final class ChainInfoTest {
  @TempDir private Path directory;
  private Path top = Path.of("");

  /** top.qcow2 over middle.qcow2 over base.raw. */
  @BeforeEach
  void writeAChain() throws IOException {
    Files.write(directory.resolve("base.raw"), new byte[700]);
    write("middle.qcow2", "base.raw", "raw");
    top = write("top.qcow2", "middle.qcow2", "qcow2");
  }

  private Path write(String name, String backing, String format) throws IOException {
    return new ImageBuilder(3, 16)
        .virtualSize(1 << 20)
        .backing(backing, format)
        .build()
        .writeTo(directory.resolve(name));
  }

  @Test
  void everyImageOfTheChainIsDescribedTheImageFirst() throws IOException {
    List<ImageInfo> chain = Images.chainInfo(top, OpenOptions.defaults());
    assertThat(chain)
        .extracting(ImageInfo::file)
        .containsExactly(top, directory.resolve("middle.qcow2"), directory.resolve("base.raw"));
    assertThat(chain)
        .extracting(ImageInfo::format)
        .containsExactly(ImageFormat.QCOW2, ImageFormat.QCOW2, ImageFormat.RAW);
    assertThat(chain.get(2).virtualBytes()).isEqualTo(700);
  }

  @Test
  void eachFileHasTheNameThatTheImageAboveItLeadsTo() throws IOException {
    Path other = Files.createDirectory(directory.resolve("other"));
    Files.move(directory.resolve("base.raw"), other.resolve("base.raw"));
    write("other/lower.qcow2", "base.raw", "raw");
    top = write("top.qcow2", "other/../other/lower.qcow2", "qcow2");
    OpenOptions anywhere = OpenOptions.defaults().withReferences(ReferencePolicy.parse("any"));
    assertThat(Images.chainInfo(top, anywhere))
        .extracting(ImageInfo::file)
        .containsExactly(
            top,
            directory.resolve("other/../other/lower.qcow2"),
            directory.resolve("other/../other/base.raw"));
  }

  @Test
  void aRawImageIsAChainOfItself() throws IOException {
    assertThat(Images.chainInfo(directory.resolve("base.raw"), OpenOptions.defaults())).hasSize(1);
  }

  @Test
  void theReferencePolicyHoldsForTheDescriptionToo() {
    OpenOptions none = OpenOptions.defaults().withReferences(ReferencePolicy.parse("none"));
    assertThatThrownBy(() -> Images.chainInfo(top, none))
        .isInstanceOf(ReferenceRefusedException.class);
  }

  @Test
  void aChainWithoutEndIsRefusedAndEveryFileIsClosed() throws IOException {
    write("middle.qcow2", "top.qcow2", "qcow2");
    assertThatThrownBy(() -> Images.chainInfo(top, OpenOptions.defaults()))
        .isInstanceOf(ReferenceRefusedException.class)
        .hasMessageContaining("the chain has no end");
    assertThat(OpenFiles.countIn(directory)).isZero();
  }

  @Test
  void nothingStaysOpen() throws IOException {
    assertThat(Images.chainInfo(top, OpenOptions.defaults())).hasSize(3);
    assertThat(OpenFiles.countIn(directory)).isZero();
  }
}
