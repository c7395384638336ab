package org.qcowfs.tree;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.ZeroMode;

/**
 * What a user allows and wants of writes to a disk.
 *
 * @param allowShrink whether truncate(2) may cut something off
 * @param discard what becomes of the space under a punched hole
 * @param detectZeroes what becomes of zeros that are written
 */
public record WriteRules(boolean allowShrink, ZeroMode discard, ZeroDetection detectZeroes) {
  /** What holds where the user says nothing. */
  public static WriteRules defaults() {
    return new WriteRules(false, ZeroMode.UNMAP, ZeroDetection.OFF);
  }

  /** Writes the source's remaining bytes, or notes that they are zeros. */
  void write(BlockDevice disk, ByteBuffer source, long guestOffset) throws IOException {
    Optional<ZeroMode> zeros = detectZeroes.modeFor(source, guestOffset);
    if (zeros.isPresent()) {
      disk.writeZeroes(guestOffset, source.remaining(), zeros.get());
    } else {
      disk.write(source, guestOffset);
    }
  }
}
