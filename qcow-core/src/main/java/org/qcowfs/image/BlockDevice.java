package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.error.ReadOnlyImageException;

/**
 * A disk as a guest sees it: {@link #size()} bytes, readable at any offset. An image, an internal
 * snapshot, a partition and a raw file are each one.
 *
 * <p>Thread rules: every method may be called from any number of threads at once. Closing is the
 * business of whoever opened the {@link Image} behind it.
 */
public interface BlockDevice {
  /** Virtual size in bytes; need not be a multiple of a sector or a cluster. */
  long size();

  /**
   * Fills the destination from its position to its limit, and leaves the position at the limit.
   *
   * @param destination direct or on the heap; a direct one is filled without a copy
   * @param guestOffset in bytes; {@code guestOffset + destination.remaining()} must not exceed
   *     {@link #size()}
   * @throws IOException when a byte of the range cannot be had; the destination's contents and
   *     position are then undefined
   * @throws IndexOutOfBoundsException when the range does not lie in the disk
   */
  void read(ByteBuffer destination, long guestOffset) throws IOException;

  /**
   * Visits the extents that cover the range, in ascending order and without gaps. Neighbours may be
   * alike; an extent never reaches outside the range.
   *
   * @throws IOException when the metadata of the range cannot be read
   * @throws IndexOutOfBoundsException when the range does not lie in the disk
   */
  void extents(long guestOffset, long length, ExtentVisitor visitor) throws IOException;

  /** Whether the disk can be changed. The methods below fail where it cannot. */
  default boolean isWritable() {
    return false;
  }

  /**
   * Writes the source's remaining bytes and advances its position. Whether it survives a crash
   * before {@link #flush} is a matter of the {@link CacheMode}; each sector then shows its old or
   * its new bytes.
   *
   * @param source direct or on the heap
   * @param guestOffset in bytes; the range must lie in the disk
   * @throws ReadOnlyImageException when the disk cannot be changed
   * @throws IOException when the host fails; parts of the range may have been written
   * @throws IndexOutOfBoundsException when the range does not lie in the disk
   */
  default void write(ByteBuffer source, long guestOffset) throws IOException {
    throw readOnly();
  }

  /** Makes every byte of the range read as zero. Errors as {@link #write}. */
  default void writeZeroes(long guestOffset, long length, ZeroMode mode) throws IOException {
    throw readOnly();
  }

  /**
   * Makes sure that the range has space on the host, and reads as it did. Errors as {@link #write}.
   */
  default void allocate(long guestOffset, long length) throws IOException {
    throw readOnly();
  }

  /**
   * Changes the virtual size. What is cut off is gone for good; what is added reads as zeros.
   * Errors as {@link #write}.
   */
  default void resize(long bytes) throws IOException {
    throw readOnly();
  }

  /**
   * What an fsync of the disk means: brings every write that has returned as far as the {@link
   * CacheMode} promises. Does nothing where nothing can have been written.
   *
   * @throws IOException when the promise cannot be kept. A failed flush-to-disk is final: every
   *     later write and flush fails, reads go on.
   */
  default void flush() throws IOException {}

  private static ReadOnlyImageException readOnly() {
    return new ReadOnlyImageException("the disk is open for reading only");
  }
}
