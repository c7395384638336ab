package org.qcowfs.error;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * An image was refused, or an operation on it, for a reason that lies in the image or in how it is
 * used. A plain {@link IOException} means that the host failed instead.
 *
 * <p>The message names structure, host offset, value and rule; whoever knows the file puts its name
 * in front. It is one line: names from the image are quoted without control characters.
 */
public abstract sealed class Qcow2Exception extends IOException
    permits CorruptImageException,
        ImageLockedException,
        ReadOnlyImageException,
        ReferenceRefusedException,
        UnsupportedFeatureException {
  private static final long serialVersionUID = 1L;

  private @Nullable String file;

  Qcow2Exception(String message) {
    super(OneLine.of(message));
  }

  /**
   * Puts the name of the image in front of the message, unless one is there already: the first to
   * know the file is the one that means it.
   *
   * @return this exception, to be thrown
   */
  public final Qcow2Exception in(Path imageFile) {
    if (file == null) {
      file = OneLine.of(imageFile.toString());
    }
    return this;
  }

  /** Whether {@link #in} has been told the image. */
  public final boolean isNamed() {
    return file != null;
  }

  @Override
  public final String getMessage() {
    return file == null ? super.getMessage() : file + ": " + super.getMessage();
  }
}
