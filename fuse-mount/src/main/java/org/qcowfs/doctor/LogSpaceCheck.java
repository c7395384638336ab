package org.qcowfs.doctor;

import java.nio.file.Files;
import java.nio.file.Path;

/** There is room for the logs of mounts in the background. */
final class LogSpaceCheck implements Check {
  private static final String NAME = "space for logs";
  private static final long WANTED_BYTES = 16 << 20;

  private final Host host;

  LogSpaceCheck(Host host) {
    this.host = host;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Finding examine() {
    String directory = logDirectory();
    // of the path itself: a FileStore is looked up among the mounts, which a chroot does not list
    long usable = nearestExisting(host.path(directory)).toFile().getUsableSpace();
    String detail = "%d MiB free for %s".formatted(usable >> 20, directory);
    return usable >= WANTED_BYTES
        ? Finding.ok(NAME, detail)
        : Finding.warning(NAME, detail, "free %d MiB there".formatted(WANTED_BYTES >> 20));
  }

  private String logDirectory() {
    if (host.isRootUser()) {
      return "/var/log/qcowfs";
    }
    String home = host.environment().getOrDefault("HOME", "/tmp");
    String state = host.environment().getOrDefault("XDG_STATE_HOME", home + "/.local/state");
    return (state.startsWith("/") ? state : "/tmp") + "/qcowfs";
  }

  private static Path nearestExisting(Path directory) {
    Path existing = directory;
    while (!Files.exists(existing) && existing.getParent() != null) {
      existing = existing.getParent();
    }
    return existing;
  }
}
