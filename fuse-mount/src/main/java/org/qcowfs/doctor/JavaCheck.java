package org.qcowfs.doctor;

/** The Java virtual machine is new enough. */
final class JavaCheck implements Check {
  private static final String NAME = "Java";
  private static final int OLDEST = 17;

  private final Host host;
  private final int release;
  private final String home;

  JavaCheck(Host host) {
    this(host, Runtime.version().feature(), System.getProperty("java.home", "an unknown place"));
  }

  JavaCheck(Host host, int release, String home) {
    this.host = host;
    this.release = release;
    this.home = home;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Finding examine() {
    String detail = "Java %d in %s".formatted(release, home);
    return release >= OLDEST
        ? Finding.ok(NAME, detail)
        : Finding.missing(
            NAME,
            detail + " is too old",
            host.install("openjdk-17-jre-headless", "Java " + OLDEST + " or later"));
  }
}
