package org.qcowfs.tree;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.image.BlockDevice;

/** A disk that does not change, shown as a file. */
final class DeviceFile implements FileNode {
  private final long size;
  private final DeviceSource source;
  private final AllocatedBytes allocated;

  /**
   * @param size of the disk in bytes; known before the disk is opened
   */
  DeviceFile(long size, DeviceSource source) {
    this.size = size;
    this.source = source;
    this.allocated = new AllocatedBytes(() -> size, source, Changes.NONE);
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public long allocatedBytes() {
    return allocated.get();
  }

  @Override
  public OpenFile open() throws IOException {
    return new OpenDevice(source.open());
  }

  /** Reads as far as the disk reaches. */
  static int read(BlockDevice disk, ByteBuffer destination, long offset) throws IOException {
    long available = Math.max(0, disk.size() - offset);
    int count = (int) Math.min(available, destination.remaining());
    if (count > 0) {
      int limit = destination.limit();
      destination.limit(destination.position() + count);
      disk.read(destination, offset);
      destination.limit(limit);
    }
    return count;
  }

  private record OpenDevice(BlockDevice disk) implements OpenFile {
    @Override
    public int read(ByteBuffer destination, long offset) throws IOException {
      return DeviceFile.read(disk, destination, offset);
    }

    @Override
    public long size() {
      return disk.size();
    }

    @Override
    public long nextData(long offset) throws IOException {
      return new HoleSearch(disk).nextData(offset, disk.size());
    }

    @Override
    public long nextHole(long offset) throws IOException {
      return new HoleSearch(disk).nextHole(offset, disk.size());
    }

    @Override
    public void close() {
      // The disk belongs to the image.
    }
  }
}
