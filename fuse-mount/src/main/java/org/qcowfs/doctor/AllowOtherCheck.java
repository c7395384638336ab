package org.qcowfs.doctor;

/** Users may use {@code -o allow_other}, if they want to. */
final class AllowOtherCheck implements Check {
  private static final String NAME = "allow_other";
  private static final String WORD = "user_allow_other";
  private static final String FILE = "/etc/fuse.conf";

  private final Host host;

  AllowOtherCheck(Host host) {
    this.host = host;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Finding examine() {
    if (host.isRootUser()) {
      return Finding.ok(NAME, "root may always use -o allow_other");
    }
    if (host.lines(FILE).stream().map(String::strip).anyMatch(WORD::equals)) {
      return Finding.ok(NAME, "%s has %s".formatted(FILE, WORD));
    }
    return Finding.warning(
        NAME,
        "-o allow_other is refused: %s has no line %s".formatted(FILE, WORD),
        "echo %s | sudo tee -a %s".formatted(WORD, FILE));
  }
}
