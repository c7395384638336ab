package org.qcowfs.errno;

import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import org.qcowfs.error.HostIoException;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.error.UnsupportedFeatureException;

/** Error numbers of Linux, and which of them a failure becomes for the program that hits it. */
public final class Errno {
  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int EIO = 5;
  public static final int ENXIO = 6;
  public static final int EBADF = 9;
  public static final int ENOMEM = 12;
  public static final int EEXIST = 17;
  public static final int ENODEV = 19;
  public static final int ENOTDIR = 20;
  public static final int EISDIR = 21;
  public static final int EINVAL = 22;
  public static final int ENOSPC = 28;
  public static final int EROFS = 30;
  public static final int ERANGE = 34;
  public static final int ENODATA = 61;
  public static final int EOPNOTSUPP = 95;

  private Errno() {}

  /** The error number, positive. Unexpected failures are EIO: the program must not see success. */
  public static int of(Throwable failure) {
    if (failure instanceof HostIoException host) {
      return host.errno() > 0 ? host.errno() : EIO;
    }
    if (failure instanceof UncheckedIOException unchecked) {
      return of(unchecked.getCause());
    }
    if (failure instanceof ReadOnlyImageException) {
      return EROFS;
    }
    if (failure instanceof UnsupportedFeatureException) {
      return EOPNOTSUPP;
    }
    if (failure instanceof NoSuchFileException) {
      return ENOENT;
    }
    if (failure instanceof IllegalArgumentException
        || failure instanceof IndexOutOfBoundsException) {
      return EINVAL;
    }
    return failure instanceof OutOfMemoryError ? ENOMEM : EIO;
  }
}
