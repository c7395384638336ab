package org.qcowfs.image.partition;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.qcowfs.image.BlockDevice;

/** Reads parts of a disk at offsets that nobody has checked. */
final class TableReader {
  private final BlockDevice disk;

  TableReader(BlockDevice disk) {
    this.disk = disk;
  }

  /** Size of the disk in bytes. */
  long size() {
    return disk.size();
  }

  /** That many little-endian bytes; empty when the disk does not hold them all. */
  Optional<ByteBuffer> read(long guestOffset, int length) throws IOException {
    if (guestOffset < 0 || length > size() || guestOffset > size() - length) {
      return Optional.empty();
    }
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    disk.read(bytes, guestOffset);
    return Optional.of(bytes.flip());
  }
}
