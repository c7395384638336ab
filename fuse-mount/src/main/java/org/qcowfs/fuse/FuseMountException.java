package org.qcowfs.fuse;

import java.io.IOException;

/** FUSE did not mount. The message is what libfuse or fusermount said of it, in one line. */
public final class FuseMountException extends IOException {
  private static final long serialVersionUID = 1L;

  FuseMountException(String message) {
    super(message);
  }
}
