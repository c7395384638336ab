package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;

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
}
