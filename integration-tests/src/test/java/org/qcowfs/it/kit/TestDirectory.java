package org.qcowfs.it.kit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Directories for tests, removed when the JVM ends, and with them the logs of what was mounted
 * there. Other users may enter them.
 */
public final class TestDirectory {
  /** Where root's mounts log, each to a file named after its mountpoint. */
  private static final Path LOGS = Path.of("/var/log/qcowfs");

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
      deleteLogs(root.getFileName().toString().replace("-", "%2D"));
    } else {
      System.err.println("left by the tests, still mounted: " + mounts);
    }
  }

  /** In the name of a log, a slash of the mountpoint is a hyphen, and a hyphen is encoded. */
  private static void deleteLogs(String rootName) {
    try (DirectoryStream<Path> logs = Files.newDirectoryStream(LOGS, "*" + rootName + "*")) {
      for (Path log : logs) {
        Files.delete(log);
      }
    } catch (NoSuchFileException e) {
      System.err.println("nothing was logged: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
