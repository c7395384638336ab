package org.qcowfs.doctor;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Examines everything that a mount needs. */
public final class Doctor {
  private final List<Check> checks;

  Doctor(List<Check> checks) {
    this.checks = checks;
  }

  /**
   * Examines this machine for this user.
   *
   * @param imageDirectory where images lie: locks are tried there
   * @throws IOException when not even the user can be told
   */
  public static List<Finding> examine(Path imageDirectory) throws IOException {
    return new Doctor(checksOf(Host.current(), imageDirectory)).examine();
  }

  /** Whether a mount would work. */
  public static boolean isReady(List<Finding> findings) {
    return findings.stream().noneMatch(finding -> finding.status() == Finding.Status.MISSING);
  }

  List<Finding> examine() {
    return checks.stream().map(Doctor::examine).toList();
  }

  private static Finding examine(Check check) {
    try {
      return check.examine();
    } catch (IOException e) {
      return Finding.warning(check.name(), "cannot be examined: " + e, "see whether a mount works");
    }
  }

  private static List<Check> checksOf(Host host, Path imageDirectory) {
    return List.of(
        new FuseDeviceCheck(host),
        new FuseModuleCheck(host),
        new MountRightCheck(host),
        new FusermountCheck(host),
        new MountTableCheck(host),
        new LibfuseCheck(host),
        new AllowOtherCheck(host),
        new JavaCheck(host),
        new LockCheck(imageDirectory),
        new LogSpaceCheck(host));
  }
}
