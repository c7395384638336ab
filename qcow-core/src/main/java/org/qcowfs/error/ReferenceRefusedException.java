package org.qcowfs.error;

/** The image names a second host file that the reference policy does not let it open. */
public final class ReferenceRefusedException extends Qcow2Exception {
  private static final long serialVersionUID = 1L;

  public ReferenceRefusedException(String message) {
    super(message);
  }
}
