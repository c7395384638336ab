package org.qcowfs.error;

/** Another process holds a lock on the image that excludes the wanted use. */
public final class ImageLockedException extends Qcow2Exception {
  private static final long serialVersionUID = 1L;

  /** What use of the image the other process would allow. */
  public enum WayOut {
    /** None. */
    WAIT,
    /** To read the image instead of writing to it. */
    READ,
    /** To read along without a lock, at the reader's own risk. */
    FORCE_SHARE
  }

  private final WayOut wayOut;

  /**
   * @param message what the other process does
   * @param wayOut what can be done beside it; how to ask for that, the commands know
   */
  public ImageLockedException(String message, WayOut wayOut) {
    super(message);
    this.wayOut = wayOut;
  }

  /** What can be done while the other process goes on. */
  public WayOut wayOut() {
    return wayOut;
  }
}
