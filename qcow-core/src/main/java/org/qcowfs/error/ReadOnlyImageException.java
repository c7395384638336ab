package org.qcowfs.error;

/** A change was asked of an image, or of a view of one, that can only be read. */
public final class ReadOnlyImageException extends Qcow2Exception {
  private static final long serialVersionUID = 1L;

  public ReadOnlyImageException(String message) {
    super(message);
  }
}
