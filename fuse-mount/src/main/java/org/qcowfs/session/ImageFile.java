package org.qcowfs.session;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Checks the name that a user gave for an image, for the mistakes that names invite. */
final class ImageFile {
  private ImageFile() {}

  /**
   * Checks that there is something to open.
   *
   * @param writable whether it is to be written, too
   * @throws IOException when there is not; the message says what to do
   */
  static void check(Path image, boolean writable) throws IOException {
    if (Files.isDirectory(image)) {
      throw new IOException(image + ": is a directory; name the image file in it");
    }
    if (Files.notExists(image)) {
      throw new IOException(image + ": there is no such image; check the name");
    }
    if (!Files.isReadable(image)) {
      throw new IOException(
          image + ": no permission to read the image; ask its owner, or run as a user who may");
    }
    if (writable && !Files.isWritable(image)) {
      throw new IOException(
          image + ": no permission to write to the image; mount it read-only with -o ro");
    }
  }
}
