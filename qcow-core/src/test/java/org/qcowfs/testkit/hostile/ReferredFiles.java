package org.qcowfs.testkit.hostile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;

/** The files that {@link ValidImage}s name; they lie beside the image. */
final class ReferredFiles {
  static final String BASE = "base.raw";
  static final String DATA = "data.raw";
  private static final int BASE_BYTES = 20_000;

  private ReferredFiles() {}

  /** Writes an image, and what it names. */
  static Path write(TestImage image, Path file) throws IOException {
    byte[] base = new byte[BASE_BYTES];
    for (int i = 0; i < base.length; i++) {
      base[i] = (byte) (i >> 4 | 0x80);
    }
    Files.write(file.resolveSibling(BASE), base);
    Optional<SparseBytes> data = image.dataFile();
    if (data.isPresent()) {
      data.get().writeTo(file.resolveSibling(DATA));
    }
    return image.writeTo(file);
  }
}
