package org.qcowfs.doctor;

import java.util.Locale;
import java.util.Optional;

/**
 * What is known of one thing that a mount needs.
 *
 * @param name what was looked at, in one or two words
 * @param detail what was found, in one line
 * @param remedy the command that mends it, or in words what to do; empty where nothing needs
 *     mending
 */
public record Finding(String name, Status status, String detail, Optional<String> remedy) {
  /** How it is. */
  public enum Status {
    /** As it should be. */
    OK,
    /** A mount works, but not in every respect. */
    WARNING,
    /** A mount cannot work. */
    MISSING;

    /** As it is printed, also in JSON. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static Finding ok(String name, String detail) {
    return new Finding(name, Status.OK, detail, Optional.empty());
  }

  static Finding warning(String name, String detail, String remedy) {
    return new Finding(name, Status.WARNING, detail, Optional.of(remedy));
  }

  static Finding missing(String name, String detail, String remedy) {
    return new Finding(name, Status.MISSING, detail, Optional.of(remedy));
  }
}
