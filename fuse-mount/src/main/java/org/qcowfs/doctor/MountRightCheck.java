package org.qcowfs.doctor;

import java.util.Optional;

/** The process may mount: with a capability as root, or through a set-user-ID program as a user. */
final class MountRightCheck implements Check {
  private static final String NAME = "right to mount";
  private static final long CAP_SYS_ADMIN = 1L << 21;

  private final Host host;

  MountRightCheck(Host host) {
    this.host = host;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Finding examine() {
    return host.isRootUser() ? ofRoot() : ofUser();
  }

  private Finding ofRoot() {
    boolean allowed =
        status("CapEff").map(hex -> Long.parseUnsignedLong(hex, 16) & CAP_SYS_ADMIN).orElse(1L)
            != 0;
    return allowed
        ? Finding.ok(NAME, "root with CAP_SYS_ADMIN")
        : Finding.missing(
            NAME,
            "root, but without CAP_SYS_ADMIN",
            "start the container with --cap-add SYS_ADMIN --device /dev/fuse");
  }

  private Finding ofUser() {
    return status("NoNewPrivs").filter("1"::equals).isEmpty()
        ? Finding.ok(NAME, "set-user-ID programs work here")
        : Finding.missing(
            NAME,
            "this process may not gain privileges, so fusermount cannot mount for it",
            "run qcowfs outside the sandbox (systemd: NoNewPrivileges=no)");
  }

  private Optional<String> status(String field) {
    return host.lines("/proc/self/status").stream()
        .filter(line -> line.startsWith(field + ":"))
        .map(line -> line.substring(field.length() + 1).strip())
        .findFirst();
  }
}
