package org.qcowfs.session;

import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Finds the path under which the mount table lists what a user calls a mountpoint. */
final class MountPath {
  private static final int MAX_LINKS = 40;

  private MountPath() {}

  /**
   * The real path, but nothing is asked of a mount that lies at it: its daemon may be dead or
   * stopped.
   *
   * @throws IOException when a directory on the way cannot be looked at
   */
  static Path resolve(Path given, MountTable table) throws IOException {
    Path at = given.toAbsolutePath();
    for (int links = 0; links < MAX_LINKS; links++) {
      Path parent = at.getParent();
      if (parent == null || at.endsWith(".") || at.endsWith("..")) {
        return at.toRealPath();
      }
      Path candidate = parent.toRealPath().resolve(at.getFileName());
      if (table.at(candidate).isPresent() || !Files.isSymbolicLink(candidate)) {
        return candidate;
      }
      at = candidate.resolveSibling(Files.readSymbolicLink(candidate));
    }
    throw new FileSystemLoopException(given.toString());
  }
}
