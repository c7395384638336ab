package org.qcowfs.tree;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.image.BlockDevice;

/** A disk shown as a file that can only be read. */
final class DeviceFile implements FileNode {
  private final long size;
  private final DeviceSource source;
  private final boolean changing;
  private final AllocatedBytes allocated;

  /**
   * A disk that does not change.
   *
   * @param size of the disk in bytes; known before the disk is opened
   */
  DeviceFile(long size, DeviceSource source) {
    this(size, source, Changes.NONE);
  }

  /**
   * A disk that may change behind this file's back.
   *
   * @param changes of the disk
   */
  DeviceFile(long size, DeviceSource source, Changes changes) {
    this.size = size;
    this.source = source;
    this.changing = changes != Changes.NONE;
    this.allocated = new AllocatedBytes(() -> size, source, changes);
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
  public boolean mayBeCached() {
    return !changing;
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
    public void close() {
      // The disk belongs to the image.
    }
  }
}
