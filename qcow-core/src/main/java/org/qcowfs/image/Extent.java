package org.qcowfs.image;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A range of guest bytes that are stored in the same way. The flags mean what they mean in {@code
 * qemu-img map --output=json}.
 *
 * @param start guest offset in bytes
 * @param length in bytes, never 0
 * @param depth which image of the backing chain the range comes from; 0 is the image itself
 * @param present whether an image of the chain allocates the range, as data or as zeros
 * @param zero whether the range reads as zeros
 * @param data whether the range is stored as data
 * @param compressed whether that data is a compressed cluster
 * @param hostOffset where the range starts in {@code hostFile}, in bytes, or {@link
 *     #NO_HOST_OFFSET}
 * @param hostFile the file that holds the range, as it was named, or null when there is no host
 *     offset
 */
public record Extent(
    long start,
    long length,
    int depth,
    boolean present,
    boolean zero,
    boolean data,
    boolean compressed,
    long hostOffset,
    @Nullable Path hostFile) {
  /** There is no place in a host file where the range could be read as it is. */
  public static final long NO_HOST_OFFSET = -1;

  /** Whether the range takes up guest bytes that are not known to be zero. */
  public boolean isAllocatedData() {
    return data && !zero;
  }

  /** The same range as seen by the overlay of the image it comes from. */
  Extent oneDeeper() {
    return new Extent(
        start, length, depth + 1, present, zero, data, compressed, hostOffset, hostFile);
  }
}
