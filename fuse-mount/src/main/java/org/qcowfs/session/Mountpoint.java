package org.qcowfs.session;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Where to mount: checked to be free.
 *
 * @param path real path
 * @param isFile whether it is a regular file, in whose place the disk appears; else it is a
 *     directory
 */
record Mountpoint(Path path, boolean isFile) {

  /**
   * Checks what the user gave, after a dead mount of ours was cleared from it.
   *
   * @throws IOException when nothing can be mounted there; the message says what to do
   */
  static Mountpoint prepare(Path given, HostUser user, Map<String, String> environment)
      throws IOException {
    try {
      clearDead(given, user, environment);
      Path real = given.toRealPath();
      refuseForeignLink(given, user);
      Mountpoint mountpoint = new Mountpoint(real, Files.isRegularFile(real));
      mountpoint.check();
      return mountpoint;
    } catch (NoSuchFileException e) {
      throw new IOException(
          "%1$s: the mountpoint does not exist; make a directory (mkdir %1$s) to see everything, or a file (touch %1$s) to see the disk alone"
              .formatted(given),
          e);
    }
  }

  private static void clearDead(Path given, HostUser user, Map<String, String> environment)
      throws IOException {
    while (true) {
      MountTable table = MountTable.read();
      Optional<MountEntry> mounted = table.at(MountPath.resolve(given, table));
      if (mounted.isEmpty()) {
        return;
      }
      MountEntry mount = mounted.get();
      if (!DeadMount.isDead(mount, user, environment)) {
        throw new IOException(
            "%s: busy, %s is mounted there already (type %s); unmount it or choose another mountpoint"
                .formatted(given, mount.source(), mount.type()));
      }
      DeadMount.clear(mount, user, environment);
    }
  }

  private static void refuseForeignLink(Path given, HostUser user) throws IOException {
    if (user.isRoot() && Files.isSymbolicLink(given) && !user.owns(given)) {
      throw new IOException(
          "%s: the mountpoint is a symbolic link of another user, who could lead root anywhere; name the place itself: %s"
              .formatted(given, given.toRealPath()));
    }
  }

  private void check() throws IOException {
    if (!isFile && !Files.isDirectory(path)) {
      throw new FileSystemException(
          path.toString(), null, "the mountpoint is neither a directory nor a regular file");
    }
    if (!Files.isWritable(path)) {
      throw new IOException(
          "%s: no permission to mount there; choose a mountpoint that this user can write to"
              .formatted(path));
    }
    if (!isFile && !isEmpty()) {
      throw new IOException(
          "%s: the directory is not empty; choose an empty one, so that the mount hides nothing"
              .formatted(path));
    }
  }

  private boolean isEmpty() throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
      return !entries.iterator().hasNext();
    }
  }
}
