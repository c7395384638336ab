package org.qcowfs.testkit.storage;

import java.io.IOException;

/** The power is gone: nothing more is written, flushed or read. */
public final class PowerLossException extends IOException {
  private static final long serialVersionUID = 1L;

  PowerLossException(long change) {
    super("power lost in change " + change);
  }
}
