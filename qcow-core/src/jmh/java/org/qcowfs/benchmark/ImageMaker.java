package org.qcowfs.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Images for benchmarks, each in a directory of its own for temporary files. */
final class ImageMaker {
  private ImageMaker() {}

  /**
   * Makes an image with QEMU's tool.
   *
   * @param options of the format, such as {@code preallocation=metadata}
   */
  static Path create(String options, String size) {
    try {
      Path image = Files.createTempDirectory("qcowfs-jmh-").resolve("disk.qcow2");
      Process qemuImg =
          new ProcessBuilder(
                  List.of(
                      "qemu-img", "create", "-q", "-f", "qcow2", "-o", options, image + "", size))
              .inheritIO()
              .start();
      if (qemuImg.waitFor() != 0) {
        throw new IllegalStateException("qemu-img failed");
      }
      return image;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Removes the image and its directory. */
  static void delete(Path image) throws IOException {
    Files.delete(image);
    Files.delete(image.getParent());
  }
}
