package org.qcowfs.session;

import java.util.Locale;
import java.util.Optional;

/** Decodes the values of mount options. */
final class OptionValues {
  private static final long MAX_ID = 0xffff_fffeL;
  private static final int MAX_THREADS = 64;
  private static final int MAX_FLUSH_SECONDS = 24 * 60 * 60;

  /** Smallest cache: a set of slices for reading and one for writing must be able to stay. */
  private static final long MIN_CACHE_BYTES = 64 << 10;

  private OptionValues() {}

  /** A size in bytes, with an optional suffix K, M or G (powers of 1024). */
  static long bytes(String name, String value) throws MountOptionException {
    String digits = value;
    int shift = 0;
    if (!value.isEmpty()) {
      shift =
          switch (value.substring(value.length() - 1).toUpperCase(Locale.ROOT)) {
            case "K" -> 10;
            case "M" -> 20;
            case "G" -> 30;
            default -> 0;
          };
      digits = shift == 0 ? value : value.substring(0, value.length() - 1);
    }
    long limit = Long.MAX_VALUE >> shift;
    long bytes = number(name, value, digits, 10, limit) << shift;
    if (bytes < MIN_CACHE_BYTES) {
      throw malformed(name, value, "at least 64K");
    }
    return bytes;
  }

  static Optional<Boolean> onOrOff(String value) {
    return switch (value) {
      case "on" -> Optional.of(true);
      case "off" -> Optional.of(false);
      default -> Optional.empty();
    };
  }

  static long id(String name, String value) throws MountOptionException {
    return number(name, value, value, 10, MAX_ID);
  }

  static int umask(String value) throws MountOptionException {
    return (int) number("umask", value, value, 8, 0777);
  }

  static int threads(String value) throws MountOptionException {
    long threads = number("threads", value, value, 10, MAX_THREADS);
    if (threads == 0) {
      throw malformed("threads", value, "1 to " + MAX_THREADS);
    }
    return (int) threads;
  }

  static int flushSeconds(String value) throws MountOptionException {
    return (int) number("flush_interval", value, value, 10, MAX_FLUSH_SECONDS);
  }

  /** What the name stands for; an empty one is refused with the names that there are. */
  static <T> T named(String name, String value, Optional<T> meant, String known)
      throws MountOptionException {
    return meant.orElseThrow(() -> malformed(name, value, known));
  }

  private static long number(String name, String value, String digits, int radix, long max)
      throws MountOptionException {
    String rule = radix == 8 ? "an octal number up to %o" : "a number up to %d";
    try {
      long number = Long.parseUnsignedLong(digits, radix);
      if (number >= 0 && number <= max && Character.digit(digits.charAt(0), radix) >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw malformed(name, value, String.format(Locale.ROOT, rule, max));
    }
    throw malformed(name, value, String.format(Locale.ROOT, rule, max));
  }

  private static MountOptionException malformed(String name, String value, String rule) {
    return new MountOptionException("mount option %s=%s: give %s".formatted(name, value, rule));
  }
}
