package org.qcowfs.error;

/** Keeps a message one line, whatever names from an image it quotes. */
final class OneLine {
  private OneLine() {}

  /** The text with control characters and line separators written as {@code \}{@code uXXXX}. */
  static String of(String text) {
    if (text.chars().noneMatch(OneLine::breaks)) {
      return text;
    }
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char character = text.charAt(i);
      if (breaks(character)) {
        line.append("\\u%04X".formatted((int) character));
      } else {
        line.append(character);
      }
    }
    return line.toString();
  }

  private static boolean breaks(int character) {
    int type = Character.getType(character);
    return type == Character.CONTROL
        || type == Character.LINE_SEPARATOR
        || type == Character.PARAGRAPH_SEPARATOR;
  }
}
