package org.qcowfs.session;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where the records of running sessions and their logs lie: directories that only the user can
 * enter.
 */
final class PrivateDirectory {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rwx------");

  private PrivateDirectory() {}

  /** Makes, or finds, the directory of this user's session records. */
  static Path forRecords(HostUser user, Map<String, String> environment) throws IOException {
    return firstUsable(recordDirectories(user.uid(), environment), user);
  }

  /** Makes, or finds, the directory of this user's logs. */
  static Path forLogs(HostUser user, Map<String, String> environment) throws IOException {
    List<Path> candidates = new ArrayList<>();
    if (user.isRoot()) {
      candidates.add(Path.of("/var/log/qcowfs"));
    } else if (isAbsolute(environment.get("XDG_STATE_HOME"))) {
      candidates.add(Path.of(environment.get("XDG_STATE_HOME"), "qcowfs"));
    } else if (isAbsolute(environment.get("HOME"))) {
      candidates.add(Path.of(environment.get("HOME"), ".local/state/qcowfs"));
    }
    candidates.addAll(recordDirectories(user.uid(), environment));
    return firstUsable(candidates, user);
  }

  /** Where the session records of a user may lie, the likeliest place first. */
  static List<Path> recordDirectories(long uid, Map<String, String> environment) {
    if (uid == 0) {
      return List.of(Path.of("/run/qcowfs"));
    }
    List<Path> candidates = new ArrayList<>();
    if (isAbsolute(environment.get("XDG_RUNTIME_DIR"))) {
      candidates.add(Path.of(environment.get("XDG_RUNTIME_DIR"), "qcowfs"));
    }
    candidates.add(Path.of("/run/user/" + uid, "qcowfs"));
    candidates.add(Path.of("/tmp/qcowfs-" + uid));
    return candidates;
  }

  /** Whether the directory is there, is the user's, and nobody else can put anything into it. */
  static boolean isPrivate(Path directory, long uid) {
    try {
      return Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
          && HostUser.ownerOf(directory) == uid
          && OWNER_ONLY.containsAll(
              Files.getPosixFilePermissions(directory, LinkOption.NOFOLLOW_LINKS));
    } catch (IOException e) {
      return false; // what cannot be looked at is not known to be private
    }
  }

  private static boolean isAbsolute(@Nullable String path) {
    return path != null && path.startsWith("/");
  }

  private static Path firstUsable(List<Path> candidates, HostUser user) throws IOException {
    List<String> reasons = new ArrayList<>();
    for (Path candidate : candidates) {
      try {
        make(candidate);
        if (isPrivate(candidate, user.uid())) {
          return candidate;
        }
        reasons.add(candidate + " is not a directory of this user alone (mode 0700)");
      } catch (IOException e) {
        reasons.add(candidate + " cannot be made");
      }
    }
    throw new IOException("no private directory for session files: " + String.join("; ", reasons));
  }

  private static void make(Path directory) throws IOException {
    if (Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Path parent = directory.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
  }
}
