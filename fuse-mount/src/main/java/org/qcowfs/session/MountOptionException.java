package org.qcowfs.session;

/** A mount option is unknown or its value is malformed: wrong usage. */
public final class MountOptionException extends Exception {
  private static final long serialVersionUID = 1L;

  MountOptionException(String message) {
    super(message);
  }
}
