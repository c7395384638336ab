package org.qcowfs.error;

/**
 * The image breaks a rule of the format. Never thrown for a failed read, nor for a caller's
 * mistake.
 */
public final class CorruptImageException extends Qcow2Exception {
  private static final long serialVersionUID = 1L;

  private final long hostOffset;
  private final boolean metadata;

  /**
   * @param structure what is broken, in the specification's words
   * @param hostOffset where it starts in the image file, in bytes
   * @param detail the value found and the rule it breaks
   */
  public CorruptImageException(String structure, long hostOffset, String detail) {
    this(structure, hostOffset, detail, false);
  }

  private CorruptImageException(
      String structure, long hostOffset, String detail, boolean metadata) {
    super("%s at host offset 0x%x: %s".formatted(structure, hostOffset, detail));
    this.hostOffset = hostOffset;
    this.metadata = metadata;
  }

  /**
   * As the constructor, for what makes any further write to the image dangerous: a pointer or a
   * refcount that cannot be right.
   */
  public static CorruptImageException ofMetadata(String structure, long hostOffset, String detail) {
    return new CorruptImageException(structure, hostOffset, detail, true);
  }

  /** Whether nothing may be written to the image any more. */
  public boolean isOfMetadata() {
    return metadata;
  }

  /** Where the broken structure starts in the image file, in bytes. */
  public long hostOffset() {
    return hostOffset;
  }
}
