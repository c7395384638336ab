package org.qcowfs.fuse;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * How the tree is mounted and shown.
 *
 * @param mountpoint real path of a directory or of a regular file, as the root of the tree is one
 * @param source what the mount table shows as its source
 * @param overFile whether the mountpoint is a regular file
 * @param allowOther whether other users may look inside; the kernel then checks the modes shown
 * @param uid the owner shown
 * @param gid the group shown
 * @param umask permission bits not shown
 * @param threads how many threads serve requests
 * @param tracing whether every request is logged
 * @param time the times shown for every file
 * @param diskBytes size of the disk, which {@code statfs} shows
 */
public record MountSettings(
    Path mountpoint,
    String source,
    boolean overFile,
    boolean allowOther,
    long uid,
    long gid,
    int umask,
    int threads,
    boolean tracing,
    Instant time,
    long diskBytes) {
  /** A qcow2 image that is only read does not change: the kernel may remember what it saw. */
  private static final int REMEMBER_SECONDS = 10;

  /** The value of libfuse's {@code -o}. */
  String fuseOptions() {
    List<String> options =
        new ArrayList<>(
            List.of(
                "fsname=" + escape(source),
                "subtype=qcowfs",
                "ro",
                "nosuid",
                "nodev",
                "big_writes",
                "attr_timeout=" + REMEMBER_SECONDS,
                "entry_timeout=" + REMEMBER_SECONDS));
    if (allowOther) {
      options.add("allow_other");
      options.add("default_permissions");
    }
    if (overFile) {
      options.add("nonempty");
    }
    return String.join(",", options);
  }

  /**
   * Keeps a name from ending its option: libfuse takes a comma or a backslash behind a backslash.
   */
  static String escape(String name) {
    StringBuilder escaped = new StringBuilder(name.length());
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c == ',' || c == '\\') {
        escaped.append('\\');
      }
      escaped.append(Character.isISOControl(c) ? '?' : c);
    }
    return escaped.toString();
  }
}
