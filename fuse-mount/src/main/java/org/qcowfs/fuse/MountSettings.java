package org.qcowfs.fuse;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * How the tree is mounted and shown.
 *
 * @param mountpoint real path of a directory or of a regular file, as the root of the tree is one
 * @param source what the mount table shows as its source
 * @param writable whether something in the tree can be written
 * @param overFile whether the mountpoint is a regular file
 * @param allowOther whether other users may look inside; the kernel then checks the modes shown
 * @param uid the owner shown
 * @param gid the group shown
 * @param umask permission bits not shown
 * @param threads how many threads serve requests
 * @param accelerate whether requests of open files are answered without libfuse, where the kernel
 *     can do its part
 * @param tracing whether every request is logged
 * @param time the times shown for what was not changed since
 * @param diskBytes size of the disk, which {@code statfs} shows
 */
public record MountSettings(
    Path mountpoint,
    String source,
    boolean writable,
    boolean overFile,
    boolean allowOther,
    long uid,
    long gid,
    int umask,
    int threads,
    boolean accelerate,
    boolean tracing,
    Instant time,
    LongSupplier diskBytes) {
  /** A qcow2 image that is only read does not change: the kernel may remember what it saw. */
  private static final int REMEMBER_SECONDS = 10;

  /** What a write changes beside the file written to, such as the list of partitions. */
  private static final int REMEMBER_WRITABLE_SECONDS = 1;

  /** The value of libfuse's {@code -o}. */
  String fuseOptions() {
    int seconds = writable ? REMEMBER_WRITABLE_SECONDS : REMEMBER_SECONDS;
    List<String> options =
        new ArrayList<>(
            List.of(
                "fsname=" + escape(source),
                "subtype=qcowfs",
                writable ? "rw" : "ro",
                "nosuid",
                "nodev",
                "big_writes",
                "attr_timeout=" + seconds,
                "entry_timeout=" + seconds));
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
