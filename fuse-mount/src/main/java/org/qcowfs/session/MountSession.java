package org.qcowfs.session;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.qcowfs.fuse.FuseMountException;
import org.qcowfs.fuse.FuseSession;
import org.qcowfs.fuse.Loggers;
import org.qcowfs.fuse.MountSettings;
import org.qcowfs.fuse.StandardStreams;
import org.qcowfs.image.Images;
import org.qcowfs.tree.Node;
import org.slf4j.Logger;

/**
 * One mount, from the checks before it to the last flush after it.
 *
 * <p>It ends when anybody unmounts it, or when the process gets SIGTERM, SIGINT or SIGHUP ({@link
 * SignalEnd}). Then, in this order: no request is left, the image is flushed and closed, the
 * outcome is written for {@code umount}, the process ends and with it the lock of the session's
 * file.
 */
public final class MountSession {
  private static final int UMASK_PRIVATE = 077;
  private static final int UMASK_SHARED = 022;

  private final MountedImage image;
  private final FuseSession fuse;
  private final MountEntry mount;
  private final SessionFile file;
  private @Nullable Boolean flushed;

  private MountSession(MountedImage image, FuseSession fuse, MountEntry mount, SessionFile file) {
    this.image = image;
    this.fuse = fuse;
    this.mount = mount;
    this.file = file;
  }

  /**
   * Begins to load what every mount needs, on a thread of its own. To be called as soon as it is
   * known that there will be a mount, though not yet of what.
   */
  public static void prepare() {
    Runnable fuse = FuseSession.preparation();
    Thread thread =
        new Thread(
            () -> {
              Images.loadNativeCalls();
              fuse.run();
            },
            "preparation");
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * Checks, opens the image, mounts, and waits until the mount has answered.
   *
   * @param halt how a signal ends the process at once, after the mount is gone; told whether
   *     everything that was written is safe
   * @throws IOException when it cannot be mounted; nothing is left behind then
   */
  public static MountSession start(MountRequest request, Consumer<Boolean> halt)
      throws IOException {
    HostUser user = HostUser.current();
    Map<String, String> environment = System.getenv();
    ImageFile.check(request.image(), request.options().changesImage());
    FuseAccess.check(user, request.options().allowOther());
    Mountpoint mountpoint = Mountpoint.prepare(request.mountpoint(), user, environment);
    Path imagePath = request.image().toRealPath();
    Optional<Path> log =
        request.daemon()
            ? Optional.of(DaemonLog.forMountpoint(mountpoint.path(), user, environment))
            : Optional.empty();

    MountedImage image = MountedImage.open(request.image(), request.options());
    try {
      MountSettings settings = settings(mountpoint, imagePath, request.options(), user, image);
      Node root = mountpoint.isFile() ? image.disk() : image.directory();
      SessionRecord record = record(mountpoint, imagePath, log);
      Path directory = PrivateDirectory.forRecords(user, environment);
      return SignalEnd.install(halt)
          .mount(() -> mount(image, root, settings, record, directory, FuseSession::mount));
    } catch (IOException | RuntimeException e) {
      image.close();
      throw e;
    }
  }

  private static MountSettings settings(
      Mountpoint mountpoint,
      Path imagePath,
      MountOptions options,
      HostUser user,
      MountedImage image)
      throws IOException {
    FileTime modified = Files.getLastModifiedTime(imagePath);
    return new MountSettings(
        mountpoint.path(),
        imagePath.toString(),
        image.isWritable(),
        mountpoint.isFile(),
        options.allowOther(),
        options.uid().orElse(user.uid()),
        options.gid().orElse(user.gid()),
        options.umask().orElse(options.allowOther() ? UMASK_SHARED : UMASK_PRIVATE),
        options.threads().orElse(FuseSession.defaultThreads()),
        options.accelerate(),
        options.debug(),
        modified.toInstant(),
        image::diskBytes);
  }

  private static SessionRecord record(Mountpoint mountpoint, Path imagePath, Optional<Path> log)
      throws IOException {
    long pid = ProcessHandle.current().pid();
    long startTime =
        HostProcess.of(pid)
            .map(HostProcess::startTime)
            .orElseThrow(() -> new IOException("/proc is not mounted; mount it first"));
    return new SessionRecord(pid, startTime, mountpoint.path(), imagePath, log, Optional.empty());
  }

  /** The step that mounts. Tests change the mountpoint just before it. */
  interface Mounter {
    FuseSession mount(Node root, MountSettings settings) throws IOException;
  }

  static MountSession mount(
      MountedImage image,
      Node root,
      MountSettings settings,
      SessionRecord record,
      Path directory,
      Mounter mounter)
      throws IOException {
    NewMount place = new NewMount(settings.mountpoint(), MountTable.read());
    FuseSession fuse;
    try {
      fuse = mounter.mount(root, settings);
    } catch (FuseMountException e) {
      throw new IOException(
          "cannot mount %s at %s: %s"
              .formatted(record.image(), record.mountpoint(), e.getMessage()),
          e);
    }
    try {
      MountEntry mount = place.awaitAnswer();
      SessionFile file = SessionFile.create(directory, mount.device(), record);
      return new MountSession(image, fuse, mount, file);
    } catch (IOException | RuntimeException e) {
      place.abandon(fuse);
      throw e;
    }
  }

  /** What is mounted where, and where its log is: one line for the user. */
  public String describe() {
    SessionRecord record = file.record();
    String mounted = "%s is mounted at %s".formatted(record.image(), record.mountpoint());
    return record.log().map(log -> mounted + ", log in " + log).orElse(mounted);
  }

  /**
   * Lets go of the terminal: standard error becomes the log file, and no directory but the root is
   * held. Standard output is left for the last report.
   */
  public void moveToBackground() throws IOException {
    Path log = file.record().log().orElseThrow();
    StandardStreams.redirectErrorsTo(log);
    LogStream.instance().bound(log);
    StandardStreams.leaveWorkingDirectory();
  }

  /**
   * Waits until the mount is gone, then flushes and closes the image.
   *
   * @return whether everything that was written is safe
   */
  public boolean awaitEnd() throws InterruptedException {
    SessionRecord record = file.record();
    log().info("process {} serves {} at {}", record.pid(), record.image(), record.mountpoint());
    fuse.awaitEnd();
    return complete();
  }

  /** Unmounts; {@link #awaitEnd} then returns. Programs that still use the mount are waited for. */
  public void unmount() throws IOException {
    new Unmount(mount).orDetach(fuse);
  }

  /** Whether the image is closed and the outcome known. */
  synchronized boolean hasEnded() {
    return flushed != null;
  }

  /**
   * Unmounts, flushes and closes the image. Programs that still use the mount get no more answers,
   * and lose it when the process ends.
   *
   * @return whether everything that was written is safe
   */
  boolean end() {
    log().info("a signal asks to end");
    try {
      if (new Unmount(mount).orDetach(fuse)) {
        return complete();
      }
    } catch (IOException e) {
      log().error("unmounting {} failed: {}", mount.mountpoint(), e.getMessage());
    }
    return cutOff();
  }

  private synchronized boolean complete() {
    if (flushed == null) {
      fuse.close();
      flushed = finish();
    }
    return flushed;
  }

  /**
   * Programs still have files open: what they wrote is flushed, what they want more is not done.
   */
  private synchronized boolean cutOff() {
    if (flushed == null) {
      fuse.stopServing();
      flushed = finish();
    }
    return flushed;
  }

  private boolean finish() {
    String outcome = SessionRecord.FLUSHED;
    try {
      image.close();
    } catch (IOException | RuntimeException | Error e) {
      outcome = e.getMessage() == null ? e.toString() : e.getMessage();
      log().error("the last flush of {} failed", file.record().image(), e);
    }
    log().info("{} is unmounted: {}", file.record().mountpoint(), outcome);
    try {
      file.finish(outcome);
    } catch (IOException e) {
      log().warn("the session's record cannot be removed: {}", e.getMessage());
    }
    return outcome.equals(SessionRecord.FLUSHED);
  }

  private static Logger log() {
    return Loggers.of(MountSession.class);
  }
}
