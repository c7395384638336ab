package org.qcowfs.it.kit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * An image mounted by the real command on the real kernel. {@link #close} unmounts it with the real
 * command and asserts that nothing stays behind: no mount and no process.
 */
public final class MountedImage implements AutoCloseable {
  private final Path mountpoint;
  private final boolean ownMountpoint;
  private final Marked mark;
  private String said = "";
  private boolean ended;

  private MountedImage(Path mountpoint, boolean ownMountpoint, Marked mark) {
    this.mountpoint = mountpoint;
    this.ownMountpoint = ownMountpoint;
    this.mark = mark;
  }

  /** Mounts on a new empty directory, which goes away with the mount. */
  public static MountedImage mount(Path image, String... options) {
    Path directory = TestDirectory.create("mnt");
    return start(Qcowfs.mountCommand(image, directory, options), directory, true);
  }

  /** Mounts on an existing directory or regular file. */
  public static MountedImage mountAt(Path mountpoint, Path image, String... options) {
    return start(Qcowfs.mountCommand(image, mountpoint, options), mountpoint, false);
  }

  /** Mounts by a command prepared by the caller. */
  public static MountedImage mountBy(Command command, Path mountpoint) {
    return start(command, mountpoint, false);
  }

  private static MountedImage start(Command command, Path mountpoint, boolean own) {
    MountedImage started = new MountedImage(mountpoint, own, new Marked());
    try {
      CommandResult result = started.mark.mark(command).run().succeeded();
      started.said = result.stdout();
      assertThat(MountTable.isMounted(mountpoint)).as("mounted by %s", result).isTrue();
      return started;
    } catch (AssertionError e) {
      started.clearAway();
      throw e;
    }
  }

  /** Where it is mounted. */
  public Path mountpoint() {
    return mountpoint;
  }

  /** The raw disk in a mounted directory. */
  public Path disk() {
    return mountpoint.resolve("disk.raw");
  }

  /** The raw disk as an internal snapshot holds it. */
  public Path snapshotDisk(String name) {
    return mountpoint.resolve("snapshots").resolve(name).resolve("disk.raw");
  }

  /** A file of the tree. */
  public Path file(String name) {
    return mountpoint.resolve(name);
  }

  /**
   * The log file that the mount has named, once it has begun. The daemon loads the logging library
   * after the mount has answered, and what is logged meanwhile waits for that.
   */
  public Path log() {
    Path log = Path.of(said.strip().replaceFirst(".*log in ", ""));
    Await.until("the log has begun", () -> log.toFile().length() > 0);
    return log;
  }

  /** The one process that serves the mount. */
  public ProcessHandle daemon() {
    List<ProcessHandle> processes = mark.processes();
    assertThat(processes).as("processes that serve %s", mountpoint).hasSize(1);
    return processes.get(0);
  }

  /** Tells it that the test ended the mount in its own way. {@link #close} then only checks. */
  public void wasEnded() {
    ended = true;
  }

  /** Unmounts, and asserts that the mount and its process are gone when the command returns. */
  @Override
  public void close() {
    try {
      if (!ended) {
        Qcowfs.run("umount", mountpoint).succeeded();
      }
      assertNothingLeft();
    } finally {
      clearAway();
    }
  }

  /** Asserts that neither mount nor process is left. */
  public void assertNothingLeft() {
    assertThat(MountTable.isMounted(mountpoint)).as("%s is still mounted", mountpoint).isFalse();
    assertThat(mark.processes()).as("processes left of %s", mountpoint).isEmpty();
  }

  /** After a failure the next test must not meet what this one left. */
  private void clearAway() {
    mark.kill();
    MountTable.clearDownTo(List.of(), mountpoint);
    try {
      if (ownMountpoint) {
        Files.deleteIfExists(mountpoint);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
