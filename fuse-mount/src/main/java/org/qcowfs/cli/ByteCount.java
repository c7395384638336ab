package org.qcowfs.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a number of bytes as a user writes it: {@code 512}, {@code 64K}, {@code 0x10000}. */
final class ByteCount implements ITypeConverter<Long> {
  private static final Pattern FORM = Pattern.compile("(?:0X([0-9A-F]+)|([0-9]+)([BKMGTPE]?))");
  private static final String UNITS = "BKMGTPE";

  @Override
  public Long convert(String text) {
    Matcher form = FORM.matcher(text.toUpperCase(Locale.ROOT));
    try {
      if (form.matches()) {
        return form.group(1) != null
            ? Long.parseLong(form.group(1), 16)
            : Math.multiplyExact(Long.parseLong(form.group(2)), unit(form.group(3)));
      }
    } catch (NumberFormatException | ArithmeticException e) {
      throw malformed(text);
    }
    throw malformed(text);
  }

  private static long unit(String name) {
    return 1L << (10 * Math.max(0, UNITS.indexOf(name)));
  }

  private static TypeConversionException malformed(String text) {
    return new TypeConversionException(
        "'%s' is not a number of bytes below 8E, such as 512, 64K or 0x10000".formatted(text));
  }
}
