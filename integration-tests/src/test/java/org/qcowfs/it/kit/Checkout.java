package org.qcowfs.it.kit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where the project's own files are, and what may lie beside them. */
public final class Checkout {
  /** Names another launcher to test, such as that of an installed package. */
  private static final String LAUNCHER_PROPERTY = "qcowfs.it.launcher";

  private static final Path ROOT = findRoot();

  private Checkout() {}

  /** The top directory of the source tree. */
  public static Path root() {
    return ROOT;
  }

  /** The command under test. */
  public static Path launcher() {
    return Optional.ofNullable(System.getProperty(LAUNCHER_PROPERTY))
        .map(Path::of)
        .orElse(ROOT.resolve("packaging/qcowfs"));
  }

  /** A file of the shared directory beside the checkout, where there is one. */
  public static Optional<Path> shared(String name) {
    return Optional.of(ROOT.resolveSibling("shared").resolve(name)).filter(Files::isRegularFile);
  }

  private static Path findRoot() {
    Path start = Path.of("").toAbsolutePath();
    for (Path directory = start; directory != null; directory = directory.getParent()) {
      if (Files.isDirectory(directory.resolve("packaging"))
          && Files.isDirectory(directory.resolve("qcow-core"))) {
        return directory;
      }
    }
    throw new IllegalStateException("not inside the source tree: " + start);
  }
}
