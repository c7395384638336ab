package org.qcowfs.image;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The formats that an image can have. */
public enum ImageFormat {
  QCOW2,
  RAW;

  /** The name under which QEMU and our options know the format. */
  public String formatName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The format of that name; empty when there is none. */
  public static Optional<ImageFormat> byName(String name) {
    return Arrays.stream(values()).filter(format -> format.formatName().equals(name)).findFirst();
  }
}
