package org.qcowfs.session;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * The user as whom this process runs.
 *
 * @param uid effective user ID
 * @param gid effective group ID
 */
record HostUser(long uid, long gid) {
  static HostUser current() throws IOException {
    Path self = Path.of("/proc/self");
    return new HostUser(id(self, "unix:uid"), id(self, "unix:gid"));
  }

  boolean isRoot() {
    return uid == 0;
  }

  /** Whether the file itself, and not what it may link to, belongs to this user. */
  boolean owns(Path file) throws IOException {
    return ownerOf(file) == uid;
  }

  static long ownerOf(Path file) throws IOException {
    return id(file, "unix:uid", LinkOption.NOFOLLOW_LINKS);
  }

  private static long id(Path file, String attribute, LinkOption... options) throws IOException {
    return Integer.toUnsignedLong((Integer) Files.getAttribute(file, attribute, options));
  }
}
