package org.qcowfs.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;

/** A number of bytes as people read it: three digits and a binary unit. */
final class BinarySize {
  private static final List<String> UNITS = List.of("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB");
  private static final MathContext THREE_DIGITS = new MathContext(3);

  private BinarySize() {}

  /** Rounded, as in {@code 1.07 MiB}. */
  static String rounded(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= 1000 && unit < UNITS.size() - 1) {
      value /= 1024;
      unit++;
    }
    BigDecimal digits = new BigDecimal(value).round(THREE_DIGITS).stripTrailingZeros();
    return digits.toPlainString() + " " + UNITS.get(unit);
  }

  /** Rounded and exact, as in {@code 64 MiB (67108864 bytes)}. */
  static String roundedAndExact(long bytes) {
    return rounded(bytes) + " (" + bytes + " bytes)";
  }
}
