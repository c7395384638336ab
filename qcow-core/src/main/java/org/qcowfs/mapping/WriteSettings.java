package org.qcowfs.mapping;

import java.util.Optional;

/**
 * How the active disk of an image is written, as far as a guest cannot tell.
 *
 * @param lazyRefcounts whether refcounts may be wrong in the file until the disk is closed, and the
 *     image says so; empty for what the image says now
 * @param refcountCacheBytes how much memory the refcounts may take, in bytes
 * @param punchFreed whether the host file gives up the space of clusters that are freed
 * @param reserveBytes how much of the file is reserved ahead at first
 */
public record WriteSettings(
    Optional<Boolean> lazyRefcounts,
    long refcountCacheBytes,
    boolean punchFreed,
    long reserveBytes) {
  /** Enough for 16 GiB of image file at 64 KiB clusters; a miss costs one read of 4 KiB. */
  public static final long DEFAULT_REFCOUNT_CACHE_BYTES = 1 << 20;

  /** Enough for what guests allocate between two flushes; it grows where it is not. */
  public static final long DEFAULT_RESERVE_BYTES = 1 << 20;

  /** What holds where the user says nothing. */
  public static WriteSettings defaults() {
    return new WriteSettings(
        Optional.empty(), DEFAULT_REFCOUNT_CACHE_BYTES, true, DEFAULT_RESERVE_BYTES);
  }
}
