package org.qcowfs.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Where the fuzz targets put their one image: in memory, where the machine has a place for that.
 */
final class FuzzDirectory {
  private static final Path IN_MEMORY = Path.of("/dev/shm");

  static final Path PATH = create();

  private FuzzDirectory() {}

  private static Path create() {
    try {
      Path path =
          Files.isWritable(IN_MEMORY)
              ? Files.createTempDirectory(IN_MEMORY, "qcowfs-fuzz")
              : Files.createTempDirectory("qcowfs-fuzz");
      path.toFile().deleteOnExit();
      for (String file : List.of("fuzz.qcow2", "base.raw", "data.raw")) {
        path.resolve(file).toFile().deleteOnExit();
      }
      return path;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
