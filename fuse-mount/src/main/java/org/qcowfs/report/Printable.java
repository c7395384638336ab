package org.qcowfs.report;

/**
 * Text that may hold names from an image, or of files, made safe to print: it could command the
 * terminal or forge a line.
 */
public final class Printable {
  private static final String INDENT = "    ";

  private Printable() {}

  /**
   * The text with control, format and unpaired surrogate characters written as {@code \}{@code
   * uXXXX}.
   */
  public static String of(Object text) {
    StringBuilder printable = new StringBuilder();
    text.toString().codePoints().forEach(codePoint -> append(printable, codePoint));
    return printable.toString();
  }

  /**
   * Text of several lines, such as a stack trace, each made safe and set in: so none looks like a
   * line of its own, wherever the breaks have come from.
   */
  public static String lines(String text) {
    StringBuilder printable = new StringBuilder();
    text.lines()
        .map(line -> line.replace("\t", INDENT))
        .forEach(line -> printable.append(INDENT).append(of(line)).append(System.lineSeparator()));
    return printable.toString();
  }

  private static void append(StringBuilder printable, int codePoint) {
    switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          printable.append("\\u%04X".formatted(codePoint));
      default -> printable.appendCodePoint(codePoint);
    }
  }
}
