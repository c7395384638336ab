package org.qcowfs.doctor;

import java.nio.file.Files;

/** The kernel offers FUSE as a file system. */
final class FuseModuleCheck implements Check {
  private static final String NAME = "kernel module";

  private final Host host;

  FuseModuleCheck(Host host) {
    this.host = host;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Finding examine() {
    boolean offered =
        host.lines("/proc/filesystems").stream().anyMatch(line -> line.strip().endsWith("\tfuse"));
    if (offered) {
      return Finding.ok(NAME, "the kernel knows the file system fuse");
    }
    if (Files.exists(host.path("/dev/fuse"))) {
      return Finding.warning(
          NAME,
          "the kernel does not list the file system fuse; it may load it when it is asked",
          host.asRoot("modprobe fuse"));
    }
    return Finding.missing(
        NAME, "the kernel does not know the file system fuse", host.asRoot("modprobe fuse"));
  }
}
