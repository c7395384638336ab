package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.qcowfs.mapping.Zeros;
import org.qcowfs.storage.BlockStorage;

/** The disk of a raw image: the host file is the disk. */
final class RawDevice implements BlockDevice {
  private static final int SECTOR_BYTES = 512;

  private final BlockStorage storage;
  private final long fileBytes;
  private final long size;

  private RawDevice(BlockStorage storage, long fileBytes, long size) {
    this.storage = storage;
    this.fileBytes = fileBytes;
    this.size = size;
  }

  /** The disk has as many bytes as the file. */
  static RawDevice ofExactSize(BlockStorage storage) throws IOException {
    return new RawDevice(storage, storage.size(), storage.size());
  }

  /**
   * The disk ends with a whole sector, as an overlay sees it; what the file lacks of it is zeros.
   */
  static RawDevice ofWholeSectors(BlockStorage storage) throws IOException {
    long fileBytes = storage.size();
    return new RawDevice(storage, fileBytes, fileBytes + SECTOR_BYTES - 1 & -SECTOR_BYTES);
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    Objects.checkFromIndexSize(guestOffset, destination.remaining(), size);
    int limit = destination.limit();
    long inFile = Math.min(destination.remaining(), Math.max(0, fileBytes - guestOffset));
    destination.limit(destination.position() + (int) inFile);
    storage.readFully(destination, guestOffset);
    Zeros.fill(destination.limit(limit));
  }

  @Override
  public void extents(long guestOffset, long length, ExtentVisitor visitor) throws IOException {
    Objects.checkFromIndexSize(guestOffset, length, size);
    long end = guestOffset + length;
    long at = guestOffset;
    while (at < end) {
      long nextData = at < fileBytes ? storage.nextData(at) : -1;
      boolean hole = nextData != at;
      long pieceEnd = hole ? nextData : storage.nextHole(at);
      if (pieceEnd < 0) {
        pieceEnd = at < fileBytes ? fileBytes : end;
      }
      pieceEnd = Math.min(pieceEnd, end);
      visitor.visit(new Extent(at, pieceEnd - at, 0, true, hole, !hole, false, at, storage.name()));
      at = pieceEnd;
    }
  }
}
