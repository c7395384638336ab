package org.qcowfs.session;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is mounted, as {@code /proc/self/mountinfo} lists it. Reading it asks no filesystem for
 * anything, so it cannot hang on a mount whose daemon does not answer.
 *
 * @param entries in the kernel's order: of two mounts at one place the later one is on top
 */
record MountTable(List<MountEntry> entries) {
  private static final Path MOUNT_INFO = Path.of("/proc/self/mountinfo");

  MountTable {
    entries = List.copyOf(entries);
  }

  /** Reads the mounts that this process sees now. */
  static MountTable read() throws IOException {
    return parse(new String(Files.readAllBytes(MOUNT_INFO), StandardCharsets.UTF_8));
  }

  static MountTable parse(String text) {
    List<MountEntry> entries = new ArrayList<>();
    // A newline in a name is escaped there, a carriage return is not: it must end no line.
    for (String line : text.split("\n", -1)) {
      MountEntry.parse(line).ifPresent(entries::add);
    }
    return new MountTable(entries);
  }

  /** The mount that is seen at exactly this place. */
  Optional<MountEntry> at(Path mountpoint) {
    return entries.stream()
        .filter(entry -> entry.mountpoint().equals(mountpoint))
        .reduce((lower, upper) -> upper);
  }

  /** The mounts that lie inside the given one. */
  List<MountEntry> inside(MountEntry outer) {
    return entries.stream().filter(entry -> entry.parentId() == outer.id()).toList();
  }

  /** Whether that very mount, and not another one at the same place, is still there. */
  boolean contains(MountEntry wanted) {
    return entries.stream()
        .anyMatch(entry -> entry.id() == wanted.id() && entry.device().equals(wanted.device()));
  }
}
