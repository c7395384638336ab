package org.qcowfs.error;

import java.io.IOException;

/** A system call on a host file failed. Carries the number that the reader or writer must see. */
public final class HostIoException extends IOException {
  private static final long serialVersionUID = 1L;

  private static final int EFBIG = 27;
  private static final int ENOSPC = 28;
  private static final int EDQUOT = 122;

  private final int errno;

  /**
   * @param errno the host's error number, positive
   * @param message what was tried on which file, and the host's words for the error; it becomes one
   *     line
   */
  public HostIoException(int errno, String message) {
    super(OneLine.of(message));
    this.errno = errno;
  }

  /** The host's error number, positive. */
  public int errno() {
    return errno;
  }

  /** Whether the host has no room for more, rather than that it is broken. */
  public boolean isLackOfSpace() {
    return errno == ENOSPC || errno == EFBIG || errno == EDQUOT;
  }
}
