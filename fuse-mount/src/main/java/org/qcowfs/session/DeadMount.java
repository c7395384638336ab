package org.qcowfs.session;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * A mount of ours whose daemon has died: every access ends with "Transport endpoint is not
 * connected".
 */
final class DeadMount {
  private DeadMount() {}

  /** Whether nobody serves the mount any more. */
  static boolean isDead(MountEntry mount, HostUser user, Map<String, String> environment)
      throws IOException {
    if (!mount.isOurs()) {
      return false;
    }
    Optional<SessionFile> found = SessionFile.find(mount, user, environment);
    if (found.isEmpty()) {
      return !answers(mount.mountpoint());
    }
    try (SessionFile file = found.get()) {
      return !file.isHeld();
    }
  }

  /**
   * Takes it away. Programs that have files of it open keep getting errors, as before.
   *
   * @throws IOException when this user may not
   */
  static void clear(MountEntry mount, HostUser user, Map<String, String> environment)
      throws IOException {
    Fusermount.Result result = Fusermount.find().detach(mount.mountpoint());
    if (!result.done() && MountTable.read().contains(mount)) {
      throw new IOException(
          "%s: a dead mount lies there and cannot be cleared: %s"
              .formatted(mount.mountpoint(), result.printed()));
    }
    Optional<SessionFile> found = SessionFile.find(mount, user, environment);
    if (found.isPresent()) {
      try (SessionFile file = found.get()) {
        file.removeStale();
      }
    }
  }

  private static boolean answers(Path mountpoint) {
    try {
      Files.getAttribute(mountpoint, "unix:dev");
      return true;
    } catch (AccessDeniedException e) {
      return true; // alive, but for another user
    } catch (IOException e) {
      return false;
    }
  }
}
