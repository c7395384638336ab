package org.qcowfs.it.kit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The kernel's list of mounts, which answers even where a mount itself does not. */
public final class MountTable {
  private static final int MOUNT_POINT_FIELD = 4;

  private MountTable() {}

  /** Whether something is mounted at exactly that place. */
  public static boolean isMounted(Path mountpoint) {
    return below(mountpoint).contains(mountpoint.toString());
  }

  /** The mountpoints at or below a directory. */
  public static List<String> below(Path directory) {
    return below(directory, ProcessHandle.current());
  }

  /** The same as another process sees it, which may be in another mount namespace. */
  public static List<String> below(Path directory, ProcessHandle viewer) {
    return lines(viewer).stream()
        .map(MountTable::mountPoint)
        .filter(point -> Path.of(point).startsWith(directory))
        .toList();
  }

  /** Takes away every mount at or below a directory but the given ones, answering or not. */
  public static void clearDownTo(List<String> kept, Path directory) {
    below(directory).stream()
        .filter(mountpoint -> !kept.contains(mountpoint))
        .forEach(mountpoint -> Command.of("umount", "-l", mountpoint).run());
  }

  private static List<String> lines(ProcessHandle viewer) {
    try {
      Path table = Path.of("/proc", "" + viewer.pid(), "mountinfo");
      return List.of(
          Files.readString(table).strip().split("\n", -1)); // a name may hold other breaks
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String mountPoint(String line) {
    return unescaped(line.split(" ", -1)[MOUNT_POINT_FIELD]);
  }

  /** The kernel writes blanks, tabs, newlines and backslashes as three octal digits. */
  private static String unescaped(String field) {
    return field
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\");
  }
}
