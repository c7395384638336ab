package org.qcowfs.session;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The names of the mount options, and which of them take a value. */
final class MountOptionNames {
  private static final Set<String> FLAGS =
      Set.of("ro", "rw", "drop_bitmaps", "allow_shrink", "force_share", "allow_other", "debug");
  private static final Set<String> WITH_VALUE =
      Set.of(
          "format",
          "backing_format",
          "references",
          "snapshot",
          "cache",
          "overlay",
          "discard",
          "detect_zeroes",
          "flush_interval",
          "lazy_refcounts",
          "l2_cache_size",
          "refcount_cache_size",
          "uid",
          "gid",
          "umask",
          "threads",
          "accelerate");

  /** What mount(8) and fstab hand to any filesystem. */
  private static final Set<String> GENERIC =
      Set.of(
          "defaults",
          "auto",
          "noauto",
          "user",
          "nouser",
          "users",
          "nousers",
          "owner",
          "group",
          "nofail",
          "_netdev",
          "suid",
          "nosuid",
          "dev",
          "nodev",
          "exec",
          "noexec",
          "atime",
          "noatime",
          "diratime",
          "nodiratime",
          "relatime",
          "norelatime",
          "strictatime",
          "lazytime",
          "nolazytime",
          "sync",
          "async",
          "dirsync",
          "silent",
          "loud",
          "comment");

  private MountOptionNames() {}

  /** Refuses an option that is unknown, has a value too many or too few. */
  static void check(String name, Optional<String> value) throws MountOptionException {
    if (isGeneric(name)) {
      return;
    }
    if (FLAGS.contains(name) && value.isPresent()) {
      throw new MountOptionException("mount option %s takes no value".formatted(name));
    }
    if (WITH_VALUE.contains(name) && value.isEmpty()) {
      throw new MountOptionException("mount option %1$s needs a value: %1$s=…".formatted(name));
    }
    if (!FLAGS.contains(name) && !WITH_VALUE.contains(name)) {
      throw unknown(name);
    }
  }

  private static boolean isGeneric(String name) {
    return GENERIC.contains(name) || name.startsWith("x-") || name.startsWith("X-");
  }

  private static MountOptionException unknown(String name) {
    List<String> known = new ArrayList<>(FLAGS);
    known.addAll(WITH_VALUE);
    known.sort(null);
    String message = "unknown mount option '%s'".formatted(name);
    return new MountOptionException(
        Spelling.nearest(name, known)
            .map(near -> message + "; did you mean '" + near + "'?")
            .orElse(message + "; known are " + String.join(", ", known)));
  }
}
