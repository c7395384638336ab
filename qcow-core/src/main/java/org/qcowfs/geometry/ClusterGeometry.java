package org.qcowfs.geometry;

/**
 * Sizes that follow from the cluster size of an image and from whether its L2 entries are extended.
 * Immutable.
 */
public final class ClusterGeometry {
  /** Subclusters of a cluster where L2 entries are extended. */
  public static final int SUBCLUSTERS = 32;

  private final int clusterBits;
  private final boolean extendedL2;
  private final int l2Bits;

  /**
   * @param clusterBits log2 of the cluster size in bytes, 9 to 21
   * @param extendedL2 whether an L2 entry has 128 bits and describes 32 subclusters
   */
  public ClusterGeometry(int clusterBits, boolean extendedL2) {
    if (clusterBits < 9 || clusterBits > 21) {
      throw new IllegalArgumentException("clusterBits " + clusterBits);
    }
    this.clusterBits = clusterBits;
    this.extendedL2 = extendedL2;
    this.l2Bits = clusterBits - (extendedL2 ? 4 : 3);
  }

  /** log2 of the cluster size in bytes. */
  public int clusterBits() {
    return clusterBits;
  }

  public int clusterBytes() {
    return 1 << clusterBits;
  }

  public boolean extendedL2() {
    return extendedL2;
  }

  /** What the allocation of guest data is tracked by: a subcluster, or else a cluster. */
  public int subclusterBytes() {
    return extendedL2 ? clusterBytes() / SUBCLUSTERS : clusterBytes();
  }

  /** 64-bit words of an L2 entry: 1, or 2 where L2 entries are extended. */
  public int l2EntryWords() {
    return extendedL2 ? 2 : 1;
  }

  /** Entries of an L2 table, which fills one cluster. */
  public int l2EntryCount() {
    return 1 << l2Bits;
  }

  /** log2 of the guest bytes that one L2 table describes. */
  public int l1EntryBits() {
    return clusterBits + l2Bits;
  }

  /** Index into the L1 table for a guest offset. */
  public long l1Index(long guestOffset) {
    return guestOffset >>> l1EntryBits();
  }

  /** Index into the L2 table for a guest offset. */
  public int l2Index(long guestOffset) {
    return (int) (guestOffset >>> clusterBits) & (l2EntryCount() - 1);
  }

  /** Bytes of the cluster before the offset. */
  public int offsetInCluster(long offset) {
    return (int) offset & (clusterBytes() - 1);
  }

  public long clusterStart(long offset) {
    return offset & -clusterBytes();
  }

  public boolean isClusterAligned(long offset) {
    return offsetInCluster(offset) == 0;
  }

  /** How many L1 entries a disk needs. */
  public long l1EntriesFor(long virtualSize) {
    return (virtualSize >>> l1EntryBits())
        + ((virtualSize & ((1L << l1EntryBits()) - 1)) == 0 ? 0 : 1);
  }
}
