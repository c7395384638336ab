package org.qcowfs.storage;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.IntFunction;
import org.qcowfs.error.HostIoException;

/**
 * Opens host files, and says what is wrong with those that it does not open.
 *
 * <p>A name may come to mean something else at any moment. So a file is first only held on to (with
 * O_PATH, which waits for nothing and wakes no driver), then judged by what is held, and opened
 * from there: what was judged is what is opened.
 */
final class HostFileOpener {
  private HostFileOpener() {}

  /** The system call. Tests change names in between. */
  interface Open {
    int open(String path, int flags) throws HostIoException;
  }

  /**
   * Opens a file without waiting for anything.
   *
   * @param calls what makes the calls on the descriptor that it is given
   */
  static HostFile open(Path name, boolean writable, IntFunction<FileCalls> calls)
      throws IOException {
    return open(name, writable, calls, Posix::open);
  }

  static HostFile open(Path name, boolean writable, IntFunction<FileCalls> calls, Open open)
      throws IOException {
    Path directory = directoryOf(name);
    int held = hold(name, directory, open);
    int fd;
    try {
      checkKind(name, Posix.status(held));
      checkStored(name, held);
      fd = reopen(name, held, writable, open);
    } finally {
      Posix.close(held);
    }
    try {
      FileCalls onFile = calls.apply(fd);
      return new HostFile(name, directory, fd, writable, onFile, onFile.status());
    } catch (IOException e) {
      Posix.close(fd);
      throw e;
    }
  }

  private static Path directoryOf(Path name) throws HostIoException {
    Path absolute = name.toAbsolutePath();
    try {
      return Objects.requireNonNullElse(absolute.getParent(), absolute).toRealPath();
    } catch (NoSuchFileException e) {
      throw failed(name, Posix.ENOENT);
    } catch (AccessDeniedException e) {
      throw failed(name, Posix.EACCES);
    } catch (IOException e) {
      String reason = e instanceof FileSystemException host ? host.getReason() : e.getMessage();
      throw new HostIoException(Posix.EIO, name + ": open failed: " + reason);
    }
  }

  private static HostIoException failed(Path name, int errno) {
    return new HostIoException(errno, name + ": open failed: " + Posix.describe(errno));
  }

  private static int hold(Path name, Path directory, Open open) throws HostIoException {
    Path last = Objects.requireNonNullElse(name.getFileName(), name);
    try {
      return open.open(directory.resolve(last).toString(), Posix.O_PATH | Posix.O_CLOEXEC);
    } catch (HostIoException e) {
      throw new HostIoException(e.errno(), name + ": " + e.getMessage());
    }
  }

  private static int reopen(Path name, int held, boolean writable, Open open)
      throws HostIoException {
    int access = writable ? Posix.O_RDWR : Posix.O_RDONLY;
    try {
      return open.open("/proc/self/fd/" + held, access | Posix.O_NONBLOCK | Posix.O_CLOEXEC);
    } catch (HostIoException e) {
      throw refusal(name, writable, e);
    }
  }

  private static HostIoException refusal(Path name, boolean writable, HostIoException e) {
    boolean isProtected =
        e.errno() == Posix.EACCES || e.errno() == Posix.EPERM || e.errno() == Posix.EROFS;
    String reason =
        writable && isProtected
            ? "cannot be opened for writing (%s); make it writable, or only read the image"
                .formatted(Posix.describe(e.errno()))
            : e.getMessage();
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

  /** A file of proc or sysfs calls itself regular, but to read or write it is to ask or command. */
  private static void checkStored(Path name, int held) throws HostIoException {
    if (Posix.isKernelInterface(held)) {
      throw new HostIoException(
          Posix.EINVAL, name + ": is made by the kernel (as in /proc and /sys), not a disk image");
    }
  }
}
