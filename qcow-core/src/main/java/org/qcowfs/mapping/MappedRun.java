package org.qcowfs.mapping;

/**
 * The answer to a lookup: how a run of guest bytes is stored. Filled in again and again by the same
 * thread, so that a read allocates nothing for a cluster.
 */
public final class MappedRun {
  /** How the bytes of a run are stored. */
  public enum Kind {
    /** Nowhere in this image: the backing file has them, else they are zeros. */
    UNALLOCATED(false, false),
    /** As {@link #UNALLOCATED}, in subclusters of a cluster that has a place in the host file. */
    UNALLOCATED_IN_CLUSTER(true, false),
    /** Zeros, by their entry. */
    ZERO(false, true),
    /** Zeros, by their entry, with a place kept for them in the host file. */
    ZERO_PREALLOCATED(true, true),
    /** In the host file, byte for byte. */
    DATA(true, false),
    /** In the host file, one compressed cluster. */
    COMPRESSED(false, false);

    private final boolean hasHostOffset;
    private final boolean zero;

    Kind(boolean hasHostOffset, boolean zero) {
      this.hasHostOffset = hasHostOffset;
      this.zero = zero;
    }

    /** Whether the run has a place in the host file, used or not. */
    public boolean hasHostOffset() {
      return hasHostOffset;
    }

    /** Whether the entry itself says zeros. */
    public boolean isZero() {
      return zero;
    }

    /** Whether the bytes come from the backing file, if there is one. */
    public boolean isUnallocated() {
      return this == UNALLOCATED || this == UNALLOCATED_IN_CLUSTER;
    }
  }

  private Kind kind = Kind.UNALLOCATED;
  private long length;
  private long hostOffset;
  private boolean copied;

  /** The L2 entry of a compressed cluster. */
  long compressedEntry;

  public Kind kind() {
    return kind;
  }

  /** In bytes, from the guest offset that was looked up; at least 1. */
  public long length() {
    return length;
  }

  /** Where the run starts in the host file; defined only where its kind has a host offset. */
  public long hostOffset() {
    return hostOffset;
  }

  /** Whether the run is data of this disk alone, so that it may be overwritten in its place. */
  boolean isWritableInPlace() {
    return kind == Kind.DATA && copied;
  }

  void set(Kind newKind, long newLength, long newHostOffset, boolean newCopied) {
    kind = newKind;
    length = newLength;
    hostOffset = newHostOffset;
    copied = newCopied;
  }
}
