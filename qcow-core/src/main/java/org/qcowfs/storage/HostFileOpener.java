package org.qcowfs.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.IntFunction;
import org.qcowfs.error.HostIoException;

/** Opens host files, and says what is wrong with those that it does not open. */
final class HostFileOpener {
  private HostFileOpener() {}

  /**
   * Opens a file without waiting for anything.
   *
   * @param calls what makes the calls on the descriptor that it is given
   */
  static HostFile open(Path name, boolean writable, IntFunction<FileCalls> calls)
      throws IOException {
    int access = writable ? Posix.O_RDWR : Posix.O_RDONLY;
    int fd;
    try {
      fd = Posix.open(name.toString(), access | Posix.O_NONBLOCK | Posix.O_CLOEXEC);
    } catch (HostIoException e) {
      throw refusal(name, writable, e);
    }
    try {
      FileCalls onFile = calls.apply(fd);
      Posix.Status status = onFile.status();
      checkKind(name, status);
      return new HostFile(name, fd, writable, onFile, status);
    } catch (IOException e) {
      Posix.close(fd);
      throw e;
    }
  }

  private static HostIoException refusal(Path name, boolean writable, HostIoException e) {
    boolean isProtected =
        e.errno() == Posix.EACCES || e.errno() == Posix.EPERM || e.errno() == Posix.EROFS;
    String reason;
    if (writable && isProtected) {
      reason =
          "cannot be opened for writing (%s); make it writable, or use it with the option ro"
              .formatted(Posix.describe(e.errno()));
    } else if (e.errno() == Posix.EISDIR) {
      reason = "is a directory, not a disk image";
    } else {
      reason = e.getMessage();
    }
    return new HostIoException(e.errno(), name + ": " + reason);
  }

  private static void checkKind(Path name, Posix.Status status) throws HostIoException {
    if (!status.isRegularFile() && !status.isBlockDevice()) {
      throw new HostIoException(
          Posix.EINVAL,
          name
              + (status.isDirectory()
                  ? ": is a directory, not a disk image"
                  : ": is neither a file nor a block device, not a disk image"));
    }
  }
}
