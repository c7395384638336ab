package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.OpenFiles;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;

/** How images are refused whose header is wrong in one field, and that nothing is left behind. */
final class MalformedImageTest {
  /** Enough for classes loaded on the way; far from what the fields ask for. */
  private static final long ALLOCATED_BYTES_MOST = 8L << 20;

  @TempDir private Path directory;

  @ParameterizedTest
  @MethodSource("org.qcowfs.image.MalformedImages#all")
  void aMalformedImageIsRefusedByStructureAndValue(Malformed malformed) throws IOException {
    Path file = malformed.image().writeTo(directory.resolve("malformed.qcow2"));
    OpenOptions options = OpenOptions.defaults().withFormat(ImageFormat.QCOW2);
    long before = allocatedBytes();

    assertThatExceptionOfType(Qcow2Exception.class)
        .isThrownBy(() -> Images.open(file, options).close())
        .withMessage(file + ": " + malformed.message());

    assertThat(allocatedBytes() - before).isLessThan(ALLOCATED_BYTES_MOST);
    assertThat(OpenFiles.countIn(directory)).isZero();
  }

  @Test
  void wellFormedImagesOfEveryWidthAreNotRefused() throws IOException {
    for (int order : IntStream.rangeClosed(0, 6).toArray()) {
      for (int clusterBits : IntStream.rangeClosed(9, 21).toArray()) {
        TestImage image =
            new ImageBuilder(3, clusterBits).virtualSize(1 << 20).refcountOrder(order).build();
        Images.open(image.writeTo(directory.resolve("good.qcow2")), OpenOptions.defaults()).close();
      }
    }
    assertThat(OpenFiles.countIn(directory)).isZero();
  }

  @Test
  void dirtyAndCorruptImagesCanBeRead() throws IOException {
    Path file =
        MalformedImages.v3().incompatible(3).build().writeTo(directory.resolve("dirty.qcow2"));

    try (Image image = Images.open(file, OpenOptions.defaults())) {
      assertThat(image.info().qcow2().orElseThrow().dirty()).isTrue();
      assertThat(image.info().qcow2().orElseThrow().corrupt()).isTrue();
    }
  }

  @Test
  void anImageWithoutItsMagicIsNoImageUnlessItIsSaidToBeOne() throws IOException {
    Path file = new SparseBytes().resize(1 << 20).writeTo(directory.resolve("disk"));

    assertThatExceptionOfType(Qcow2Exception.class)
        .isThrownBy(() -> Images.open(file, OpenOptions.defaults()).close())
        .withMessage(
            file
                + ": not a qcow2 image (its magic is missing), and its name ends in neither .raw"
                + " nor .img; if it is a raw disk, say so with format=raw");
    assertThat(OpenFiles.countIn(directory)).isZero();
  }

  private static long allocatedBytes() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
  }
}
