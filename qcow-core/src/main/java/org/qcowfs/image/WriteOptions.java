package org.qcowfs.image;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How to write to an image.
 *
 * @param cacheMode how far a flush travels
 * @param dropBitmaps persistent dirty bitmaps, which are not kept up to date, may be given up; else
 *     an image that has any is refused
 * @param overlay where writes go instead of the image, which is then only read
 */
public record WriteOptions(CacheMode cacheMode, boolean dropBitmaps, Optional<Overlay> overlay) {

  /**
   * A qcow2 overlay that takes the writes.
   *
   * @param file where it is kept; empty for one that is thrown away when the image is closed
   */
  public record Overlay(Optional<Path> file) {}

  /** What holds where the user says nothing. */
  public static WriteOptions defaults() {
    return new WriteOptions(CacheMode.WRITEBACK, false, Optional.empty());
  }

  /** Whether the image file itself is written. */
  public boolean changesImage() {
    return overlay.isEmpty();
  }

  WriteOptions withoutOverlay() {
    return new WriteOptions(cacheMode, dropBitmaps, Optional.empty());
  }
}
