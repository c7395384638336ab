package org.qcowfs.it.kit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Checks once per class that this machine can run the tests at all. */
final class MountRequirements implements BeforeAllCallback {
  private static final List<String> PROGRAMS =
      List.of(
          "qemu-img",
          "qemu-io",
          "fusermount",
          "strace",
          "mkfs.ext2",
          "debugfs",
          "sfdisk",
          "mkfs.xfs");

  @Override
  public void beforeAll(ExtensionContext context) {
    missing()
        .ifPresent(
            reason -> {
              if (Boolean.parseBoolean(System.getenv("CI"))) {
                throw new IllegalStateException("CI cannot run the integration tests: " + reason);
              }
              Assumptions.abort("integration tests skipped: " + reason);
            });
  }

  private static Optional<String> missing() {
    if (!"root".equals(System.getProperty("user.name"))) {
      return Optional.of("they need root; run packaging/test as root or with sudo");
    }
    if (!Files.exists(Path.of("/dev/fuse"))) {
      return Optional.of("/dev/fuse is missing; load the kernel module fuse");
    }
    if (!Files.isExecutable(Checkout.launcher())) {
      return Optional.of(Checkout.launcher() + " is missing; build the project first");
    }
    return PROGRAMS.stream()
        .filter(program -> !isInstalled(program))
        .findFirst()
        .map(program -> program + " is missing; packaging/test installs it");
  }

  private static boolean isInstalled(String program) {
    return Stream.concat(
            Stream.of(System.getenv("PATH").split(":")), Stream.of("/usr/sbin", "/sbin"))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
  }
}
