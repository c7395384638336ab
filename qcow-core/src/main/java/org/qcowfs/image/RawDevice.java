package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.qcowfs.storage.BlockStorage;

/** A raw image: the host file is the disk. */
final class RawDevice implements BlockDevice {
  private final BlockStorage storage;
  private final long size;

  RawDevice(BlockStorage storage) throws IOException {
    this.storage = storage;
    this.size = storage.size();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    Objects.checkFromIndexSize(guestOffset, destination.remaining(), size);
    storage.readFully(destination, guestOffset);
  }

  @Override
  public void extents(long guestOffset, long length, ExtentVisitor visitor) throws IOException {
    Objects.checkFromIndexSize(guestOffset, length, size);
    long end = guestOffset + length;
    long at = guestOffset;
    while (at < end) {
      long data = storage.nextData(at);
      long dataStart = data < 0 ? end : Math.min(data, end);
      if (dataStart > at) {
        visitor.visit(extent(at, dataStart, true));
        at = dataStart;
      } else {
        long dataEnd = Math.min(Math.max(storage.nextHole(at), at + 1), end);
        visitor.visit(extent(at, dataEnd, false));
        at = dataEnd;
      }
    }
  }

  private Extent extent(long start, long end, boolean hole) {
    return new Extent(start, end - start, 0, true, hole, !hole, false, start, storage.name());
  }
}
