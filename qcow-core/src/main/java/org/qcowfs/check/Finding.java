package org.qcowfs.check;

import java.util.Locale;

/**
 * Something that is wrong with an image.
 *
 * @param kind how bad it is
 * @param structure what is wrong, in the specification's words
 * @param index which of its entries, or {@link #NONE}
 * @param hostOffset where the structure starts in the image file, in bytes, or {@link #NONE}
 * @param guestOffset the first byte of the disk that it is about, or {@link #NONE}
 * @param problem the value found and the rule that it breaks
 * @param consequence what that means for the data
 * @param count how many errors this is, as {@code qemu-img check} counts them: one for each table
 *     that leads there, and one for each cluster of a range
 */
public record Finding(
    Kind kind,
    String structure,
    long index,
    long hostOffset,
    long guestOffset,
    String problem,
    String consequence,
    long count) {
  /** How bad a finding is. */
  public enum Kind {
    /** Data is in danger, or lost. */
    CORRUPTION,
    /** Space is taken that nothing uses. */
    LEAK
  }

  /** There is no such index or offset. */
  public static final long NONE = -1;

  static Finding corruption(String structure, long hostOffset, String problem, String consequence) {
    return new Finding(Kind.CORRUPTION, structure, NONE, hostOffset, NONE, problem, consequence, 1);
  }

  Finding at(long entryIndex) {
    return new Finding(
        kind, structure, entryIndex, hostOffset, guestOffset, problem, consequence, count);
  }

  Finding guest(long offset) {
    return new Finding(kind, structure, index, hostOffset, offset, problem, consequence, count);
  }

  Finding times(long errors) {
    return new Finding(
        kind, structure, index, hostOffset, guestOffset, problem, consequence, errors);
  }

  /** All of it on one line, without a line end. */
  public String text() {
    StringBuilder text = new StringBuilder(kind == Kind.LEAK ? "leak" : "corruption");
    text.append(": ").append(structure);
    if (hostOffset != NONE) {
      text.append(String.format(Locale.ROOT, " at host offset 0x%x", hostOffset));
    }
    if (index != NONE) {
      text.append(", entry ").append(index);
    }
    if (guestOffset != NONE) {
      text.append(String.format(Locale.ROOT, " (guest offset 0x%x)", guestOffset));
    }
    text.append(": ").append(problem);
    return consequence.isEmpty() ? text.toString() : text + "; " + consequence;
  }
}
