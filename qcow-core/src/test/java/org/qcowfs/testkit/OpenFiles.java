package org.qcowfs.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The descriptors that this process has open. */
public final class OpenFiles {
  private OpenFiles() {}

  /** How many of them are files in or below the directory. */
  public static int countIn(Path directory) throws IOException {
    Path real = directory.toRealPath();
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return (int) open.filter(entry -> isIn(entry, real)).count();
    }
  }

  private static boolean isIn(Path entry, Path directory) {
    try {
      return Files.readSymbolicLink(entry).startsWith(directory);
    } catch (IOException e) {
      return false; // closed meanwhile, or the descriptor of the listing itself
    }
  }
}
