package org.qcowfs.doctor;

import java.nio.file.Files;

/** The mount table is where fusermount reads, before it unmounts for a user, whose mount it is. */
final class MountTableCheck implements Check {
  private static final String NAME = "mount table";
  private static final String FILE = "/etc/mtab";

  private final Host host;

  MountTableCheck(Host host) {
    this.host = host;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Finding examine() {
    if (host.isRootUser()) {
      return Finding.ok(NAME, "root unmounts without " + FILE);
    }
    if (Files.exists(host.path(FILE))) {
      return Finding.ok(NAME, FILE + " exists");
    }
    return Finding.missing(
        NAME,
        FILE + " does not exist, without which users cannot unmount",
        host.asRoot("ln -s ../proc/self/mounts " + FILE));
  }
}
