package org.qcowfs.session;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.qcowfs.fuse.FuseSession;
import org.qcowfs.fuse.Loggers;

/** Takes one mount away, and never another one that lies at the same place. */
final class Unmount {
  private static final int ATTEMPTS = 10;
  private static final int BETWEEN_ATTEMPTS_MILLIS = 50;

  private final MountEntry mount;

  Unmount(MountEntry mount) {
    this.mount = mount;
  }

  /**
   * Unmounts, and waits for it.
   *
   * @throws IOException when it is busy (the message says who uses it) or this user may not
   */
  void orRefuse() throws IOException {
    Fusermount.Result result = attempt();
    if (!result.done()) {
      throw new IOException(refusal(result));
    }
  }

  /**
   * Unmounts; while it is busy tries again for a while, then takes it out of sight all the same.
   *
   * @return whether the session has ended; if not, programs still have files open
   */
  boolean orDetach(FuseSession session) throws IOException {
    Fusermount.Result result = attempt();
    for (int i = 1; i < ATTEMPTS && !result.done() && !ends(session); i++) {
      result = attempt();
    }
    if (!result.done()) {
      Loggers.of(Unmount.class).warn("{}; detaching it", refusal(result));
      if (isOnTop()) {
        Fusermount.find().detach(mount.mountpoint());
      }
    }
    return ends(session);
  }

  private static boolean ends(FuseSession session) throws IOException {
    try {
      return session.awaitEnd(BETWEEN_ATTEMPTS_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while unmounting", e);
    }
  }

  private Fusermount.Result attempt() throws IOException {
    MountTable table = MountTable.read();
    if (!table.contains(mount)) {
      return new Fusermount.Result(true, "");
    }
    if (!isOnTop()) {
      return new Fusermount.Result(false, "another mount lies over it");
    }
    Fusermount.Result result = Fusermount.find().unmount(mount.mountpoint());
    return result.done() || MountTable.read().contains(mount)
        ? result
        : new Fusermount.Result(true, "");
  }

  private boolean isOnTop() throws IOException {
    return MountTable.read()
        .at(mount.mountpoint())
        .filter(top -> top.id() == mount.id())
        .isPresent();
  }

  private String refusal(Fusermount.Result result) throws IOException {
    if (!result.printed().contains("busy")) {
      return "%s cannot be unmounted: %s".formatted(mount.mountpoint(), result.printed());
    }
    return "%s is busy: %s"
        .formatted(mount.mountpoint(), new MountUsers(mount, MountTable.read()).describe());
  }
}
