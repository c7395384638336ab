package org.qcowfs.session;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Checks, before anything is opened, that this user can use FUSE at all. */
final class FuseAccess {
  private static final Path DEVICE = Path.of("/dev/fuse");
  private static final Path CONFIGURATION = Path.of("/etc/fuse.conf");

  private FuseAccess() {}

  /**
   * Checks the device, the programs and the permission for {@code allow_other}.
   *
   * @throws IOException when something is missing; the message says how to mend it
   */
  static void check(HostUser user, boolean allowOther) throws IOException {
    if (!Files.exists(DEVICE)) {
      throw new IOException(
          "/dev/fuse is missing; load the kernel's FUSE with: sudo modprobe fuse (a container must"
              + " be started with --device /dev/fuse)");
    }
    if (!Files.isReadable(DEVICE) || !Files.isWritable(DEVICE)) {
      throw new IOException(
          "no permission to open /dev/fuse; let users in with: sudo chmod 666 /dev/fuse (or join"
              + " the group that owns it)");
    }
    Fusermount.find();
    if (allowOther && !user.isRoot() && !userAllowOther()) {
      throw new IOException(
          "allow_other is for root only on this machine; add a line user_allow_other to"
              + " /etc/fuse.conf to let users use it");
    }
  }

  private static boolean userAllowOther() throws IOException {
    return Files.isReadable(CONFIGURATION)
        && Files.readAllLines(CONFIGURATION).stream()
            .anyMatch(line -> line.strip().equals("user_allow_other"));
  }
}
