package org.qcowfs.format;

/** The largest values that are believed of an image before anything is allocated by them. */
public final class Limits {
  public static final int CLUSTER_BITS_MIN = 9;
  public static final int CLUSTER_BITS_MAX = 21;

  /** Extended L2 entries need subclusters of at least a sector. */
  public static final int CLUSTER_BITS_MIN_EXTENDED_L2 = 14;

  public static final long L1_TABLE_BYTES = 32L << 20;
  public static final long REFCOUNT_TABLE_BYTES = 8L << 20;
  public static final int REFCOUNT_ORDER = 6;

  public static final int SNAPSHOTS = 65_536;
  public static final long SNAPSHOT_TABLE_BYTES = 64L << 20;
  public static final int SNAPSHOT_EXTRA_BYTES = 1024;

  public static final int BACKING_NAME_BYTES = 1023;
  public static final int BACKING_FORMAT_BYTES = 15;
  public static final int DATA_FILE_NAME_BYTES = 1023;

  public static final int BITMAPS = 65_535;
  public static final long BITMAP_DIRECTORY_BYTES = 1024L * BITMAPS;
  public static final int BITMAP_NAME_BYTES = 1023;
  public static final long BITMAP_TABLE_ENTRIES = 0x800_0000L;
  public static final long BITMAP_DATA_BYTES = 512L << 20;
  public static final int BITMAP_GRANULARITY_BITS_MIN = 9;
  public static final int BITMAP_GRANULARITY_BITS_MAX = 31;

  /** Host offsets lie in bits 9 to 55 of every entry. */
  public static final long HOST_OFFSET = (1L << 56) - 1;

  /** Images of a backing chain, the overlay included. */
  public static final int CHAIN_DEPTH = 64;

  private Limits() {}
}
