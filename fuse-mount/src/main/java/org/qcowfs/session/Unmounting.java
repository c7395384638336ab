package org.qcowfs.session;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * {@code umount}: takes a mount away and waits until its daemon has written everything and ended.
 */
public final class Unmounting {
  private Unmounting() {}

  /**
   * Unmounts.
   *
   * @return what the user should know although it succeeded
   * @throws IOException when it is not a mount of ours, is busy, or its last flush failed
   */
  public static Optional<String> unmount(Path given) throws IOException {
    HostUser user = HostUser.current();
    Map<String, String> environment = System.getenv();
    MountEntry mount = find(given);
    if (DeadMount.isDead(mount, user, environment)) {
      DeadMount.clear(mount, user, environment);
      return Optional.of(
          "the daemon of %s had died; its dead mount is cleared".formatted(mount.mountpoint()));
    }
    SessionFile found =
        SessionFile.find(mount, user, environment)
            .orElseThrow(
                () ->
                    new IOException(
                        "%1$s: the record of its daemon is missing, so its end cannot be waited for; unmount it with: fusermount -u %1$s"
                            .formatted(mount.mountpoint())));
    try (SessionFile file = found) {
      refuseStopped(file.record());
      new Unmount(mount).orRefuse();
      check(file.awaitEnd());
    }
    return Optional.empty();
  }

  private static MountEntry find(Path given) throws IOException {
    MountTable table = MountTable.read();
    Path listed = MountPath.resolve(given, table);
    MountEntry mount =
        table.at(listed).orElseThrow(() -> new IOException(given + ": nothing is mounted there"));
    if (!mount.isOurs()) {
      throw new IOException(
          "%s: is not a qcowfs mount, but %s of type %s"
              .formatted(given, mount.source(), mount.type()));
    }
    return mount;
  }

  /** It would be unmounted, but could neither flush nor end. */
  private static void refuseStopped(SessionRecord record) throws IOException {
    Optional<HostProcess> daemon = HostProcess.of(record.pid());
    if (daemon.isPresent() && daemon.get().isStopped()) {
      throw new IOException(
          "%s: its daemon is stopped; let it go on with: kill -CONT %d"
              .formatted(record.mountpoint(), record.pid()));
    }
  }

  private static void check(SessionRecord last) throws IOException {
    awaitProcess(last);
    String seeLog = last.log().map(log -> "; see " + log).orElse("");
    String outcome =
        last.outcome()
            .orElseThrow(
                () ->
                    new IOException(
                        "%s is unmounted, but its daemon died before it had finished, and what was written may be lost%s"
                            .formatted(last.mountpoint(), seeLog)));
    if (!outcome.equals(SessionRecord.FLUSHED)) {
      throw new IOException(
          "%s is unmounted, but its last flush failed, and what was written may be lost: %s%s"
              .formatted(last.mountpoint(), outcome, seeLog));
    }
  }

  /** The lock is let go of a moment before the process is gone from the process table. */
  private static void awaitProcess(SessionRecord last) {
    HostProcess.of(last.pid())
        .filter(process -> process.startTime() == last.startTime())
        .ifPresent(HostProcess::awaitEnd);
  }
}
