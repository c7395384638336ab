package org.qcowfs.it.kit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Directories for tests, removed when the JVM ends. Other users may enter them. */
public final class TestDirectory {
  private static final Path ROOT = createRoot();

  private TestDirectory() {}

  /** A new empty directory with an absolute path that holds no symbolic link. */
  public static Path create(String prefix) {
    try {
      Path directory = Files.createTempDirectory(ROOT, prefix + "-");
      return Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes a directory and everything in it, entering no mount. */
  public static void delete(Path directory) {
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path entry : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(entry);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path createRoot() {
    try {
      Path root = Files.createTempDirectory("qcowfs-it-").toRealPath();
      Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxr-xr-x"));
      Runtime.getRuntime().addShutdownHook(new Thread(() -> deleteUnlessMounted(root)));
      return root;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void deleteUnlessMounted(Path root) {
    List<String> mounts = MountTable.below(root);
    if (mounts.isEmpty()) {
      delete(root);
    } else {
      System.err.println("left by the tests, still mounted: " + mounts);
    }
  }
}
