package org.qcowfs.format;

/** The feature bits of a version 3 header (section "Header", bytes 72 to 95). */
public final class Features {
  public static final long INCOMPATIBLE_DIRTY = 1L;
  public static final long INCOMPATIBLE_CORRUPT = 1L << 1;
  public static final long INCOMPATIBLE_DATA_FILE = 1L << 2;
  public static final long INCOMPATIBLE_COMPRESSION_TYPE = 1L << 3;
  public static final long INCOMPATIBLE_EXTENDED_L2 = 1L << 4;

  /** Every incompatible bit that this version knows. */
  public static final long INCOMPATIBLE_KNOWN =
      INCOMPATIBLE_DIRTY
          | INCOMPATIBLE_CORRUPT
          | INCOMPATIBLE_DATA_FILE
          | INCOMPATIBLE_COMPRESSION_TYPE
          | INCOMPATIBLE_EXTENDED_L2;

  public static final long COMPATIBLE_LAZY_REFCOUNTS = 1L;

  public static final long AUTOCLEAR_BITMAPS = 1L;
  public static final long AUTOCLEAR_DATA_FILE_RAW = 1L << 1;

  private Features() {}
}
