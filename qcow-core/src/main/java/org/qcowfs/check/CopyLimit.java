package org.qcowfs.check;

import java.io.IOException;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.storage.BlockStorage;

/**
 * How much a repair may copy. Where clusters lie on one another each gets a copy, and a table of a
 * few bytes can name the same large cluster any number of times.
 *
 * <p>Thread rules: used by one thread.
 */
final class CopyLimit {
  /** How often every byte may be copied on average: as often as snapshots could share it. */
  private static final int COPIES_MAX = 16;

  private static final long ALWAYS_BYTES = 64 << 20;

  private long leftBytes;

  /**
   * @param storage the image as it is before its repair
   */
  CopyLimit(BlockStorage storage) throws IOException {
    long allocated = storage.allocatedBytes();
    // A block device takes no space of a file system.
    long real = allocated == 0 ? storage.size() : Math.min(storage.size(), allocated);
    this.leftBytes = ALWAYS_BYTES + Math.min(real, Long.MAX_VALUE / 2 / COPIES_MAX) * COPIES_MAX;
  }

  /**
   * Takes what a round of the repair is going to copy.
   *
   * @throws UnsupportedFeatureException when that is too much
   */
  void take(long bytes) throws UnsupportedFeatureException {
    leftBytes -= bytes;
    if (leftBytes < 0) {
      throw new UnsupportedFeatureException(
          "so many of its clusters lie on one another that it cannot be repaired");
    }
  }
}
