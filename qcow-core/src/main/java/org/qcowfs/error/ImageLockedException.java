package org.qcowfs.error;

/** Another process holds a lock on the image that excludes the wanted use. */
public final class ImageLockedException extends Qcow2Exception {
  private static final long serialVersionUID = 1L;

  public ImageLockedException(String message) {
    super(message);
  }
}
