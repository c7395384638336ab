package org.qcowfs.error;

import java.io.IOException;

/**
 * An image was refused, or an operation on it, for a reason that lies in the image or in how it is
 * used. A plain {@link IOException} means that the host failed instead.
 *
 * <p>The message names structure, host offset, value and rule; whoever knows the file puts its name
 * in front.
 */
public abstract sealed class Qcow2Exception extends IOException
    permits CorruptImageException,
        ImageLockedException,
        ReadOnlyImageException,
        ReferenceRefusedException,
        UnsupportedFeatureException {
  private static final long serialVersionUID = 1L;

  Qcow2Exception(String message) {
    super(message);
  }
}
