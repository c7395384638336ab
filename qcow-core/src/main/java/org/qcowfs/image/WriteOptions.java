package org.qcowfs.image;

import java.nio.file.Path;
import java.util.Optional;
import org.qcowfs.mapping.WriteSettings;

/**
 * How to write to an image.
 *
 * @param cacheMode how far a flush travels
 * @param dropBitmaps persistent dirty bitmaps, which are not kept up to date, may be given up; else
 *     an image that has any is refused
 * @param overlay where writes go instead of the image, which is then only read
 * @param lazyRefcounts whether refcounts may be wrong in the file until the image is closed; empty
 *     for what the image says of itself. Nothing to a raw image
 * @param refcountCacheBytes how much memory the refcounts may take, in bytes
 * @param punchFreed whether the host file gives up the space of clusters that are freed
 */
public record WriteOptions(
    CacheMode cacheMode,
    boolean dropBitmaps,
    Optional<Overlay> overlay,
    Optional<Boolean> lazyRefcounts,
    long refcountCacheBytes,
    boolean punchFreed) {

  /**
   * A qcow2 overlay that takes the writes.
   *
   * @param file where it is kept; empty for one that is thrown away when the image is closed
   */
  public record Overlay(Optional<Path> file) {}

  /** With the usual of everything that is about qcow2 metadata. */
  public WriteOptions(CacheMode cacheMode, boolean dropBitmaps, Optional<Overlay> overlay) {
    this(
        cacheMode,
        dropBitmaps,
        overlay,
        Optional.empty(),
        WriteSettings.DEFAULT_REFCOUNT_CACHE_BYTES,
        true);
  }

  /** What holds where the user says nothing. */
  public static WriteOptions defaults() {
    return new WriteOptions(CacheMode.WRITEBACK, false, Optional.empty());
  }

  public WriteOptions withLazyRefcounts(Optional<Boolean> value) {
    return new WriteOptions(cacheMode, dropBitmaps, overlay, value, refcountCacheBytes, punchFreed);
  }

  public WriteOptions withRefcountCacheBytes(long value) {
    return new WriteOptions(cacheMode, dropBitmaps, overlay, lazyRefcounts, value, punchFreed);
  }

  public WriteOptions withPunchFreed(boolean value) {
    return new WriteOptions(
        cacheMode, dropBitmaps, overlay, lazyRefcounts, refcountCacheBytes, value);
  }

  /** Whether the image file itself is written. */
  public boolean changesImage() {
    return overlay.isEmpty();
  }

  WriteOptions withoutOverlay() {
    return new WriteOptions(
        cacheMode, dropBitmaps, Optional.empty(), lazyRefcounts, refcountCacheBytes, punchFreed);
  }

  WriteSettings settings() {
    return new WriteSettings(
        lazyRefcounts, refcountCacheBytes, punchFreed, WriteSettings.DEFAULT_RESERVE_BYTES);
  }
}
