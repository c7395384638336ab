package org.qcowfs.report;

/** Text from an image made safe to print: it could command the terminal or forge a line. */
final class Printable {
  private Printable() {}

  /**
   * The text with control, format and unpaired surrogate characters written as {@code \}{@code
   * uXXXX}.
   */
  static String of(Object text) {
    StringBuilder printable = new StringBuilder();
    text.toString().codePoints().forEach(codePoint -> append(printable, codePoint));
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
