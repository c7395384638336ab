package org.qcowfs.image.partition;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.Extent;
import org.qcowfs.image.ExtentVisitor;

/** A disk in memory that says where it was read, and whose extents are 1,000 bytes long. */
final class MemoryDisk implements BlockDevice {
  static final int EXTENT_BYTES = 1000;

  final ByteBuffer bytes;
  private long highestByteRead = -1;

  MemoryDisk(int size) {
    bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  long highestByteRead() {
    return highestByteRead;
  }

  @Override
  public long size() {
    return bytes.capacity();
  }

  @Override
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    highestByteRead = Math.max(highestByteRead, guestOffset + destination.remaining() - 1);
    destination.put(bytes.slice((int) guestOffset, destination.remaining()));
  }

  @Override
  public void extents(long guestOffset, long length, ExtentVisitor visitor) throws IOException {
    long at = guestOffset;
    while (at < guestOffset + length) {
      long end = Math.min(guestOffset + length, (at / EXTENT_BYTES + 1) * EXTENT_BYTES);
      boolean even = at / EXTENT_BYTES % 2 == 0;
      visitor.visit(
          new Extent(at, end - at, 0, even, !even, even, false, Extent.NO_HOST_OFFSET, null));
      at = end;
    }
  }
}
