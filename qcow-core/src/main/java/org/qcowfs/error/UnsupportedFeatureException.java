package org.qcowfs.error;

/** The image is well-formed but needs something that this version does not offer. */
public final class UnsupportedFeatureException extends Qcow2Exception {
  private static final long serialVersionUID = 1L;

  public UnsupportedFeatureException(String message) {
    super(message);
  }
}
