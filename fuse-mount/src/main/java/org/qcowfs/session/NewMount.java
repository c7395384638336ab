package org.qcowfs.session;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.concurrent.TimeUnit;
import org.qcowfs.fuse.FuseSession;

/**
 * A mount that this process has just made, and that may have landed elsewhere: mount(2) takes a
 * name, and follows it to wherever it leads by then.
 */
final class NewMount {
  private static final int END_SECONDS = 10;

  private final Path mountpoint;
  private final MountTable before;

  /**
   * @param mountpoint where it should be: a real path
   * @param before what was mounted before it
   */
  NewMount(Path mountpoint, MountTable before) {
    this.mountpoint = mountpoint;
    this.before = before;
  }

  /**
   * Waits until the mount answers, and makes sure that it lies where it should. The kernel answers
   * a stat of the mountpoint only after our threads have answered the kernel.
   */
  MountEntry awaitAnswer() throws IOException {
    long device = (Long) Files.getAttribute(mountpoint, "unix:dev", LinkOption.NOFOLLOW_LINKS);
    return MountTable.read()
        .at(mountpoint)
        .filter(mount -> mount.isOurs() && mount.device().equals(deviceName(device)))
        .orElseThrow(
            () ->
                new IOException(
                    mountpoint
                        + ": has become something else while it was mounted over, and is not"
                        + " mounted; see who can change that path, then try again"));
  }

  /** Linux's packing of a device number in user space. */
  static String deviceName(long device) {
    long major = (device >>> 8 & 0xfff) | (device >>> 32 & ~0xfffL);
    long minor = (device & 0xff) | (device >>> 12 & 0xffff_ff00L);
    return major + ":" + minor;
  }

  /** Takes the mount away, wherever it has landed, and ends the session. */
  void abandon(FuseSession fuse) throws IOException {
    for (MountEntry mount : MountTable.read().entries()) {
      if (mount.isOurs() && !before.contains(mount) && isServedByThisProcess(mount)) {
        Fusermount.find().detach(mount.mountpoint());
      }
    }
    try {
      if (fuse.awaitEnd(END_SECONDS, TimeUnit.SECONDS)) {
        fuse.close();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean isServedByThisProcess(MountEntry mount) throws IOException {
    UserDefinedFileAttributeView attributes =
        Files.getFileAttributeView(
            mount.mountpoint(), UserDefinedFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    try {
      ByteBuffer value = ByteBuffer.allocate(attributes.size(FuseSession.SERVING_PROCESS));
      attributes.read(FuseSession.SERVING_PROCESS, value);
      String pid = StandardCharsets.UTF_8.decode(value.flip()).toString();
      return pid.equals(Long.toString(ProcessHandle.current().pid()));
    } catch (FileSystemException e) {
      return false; // it has no such attribute, or is not for us to look at
    }
  }
}
