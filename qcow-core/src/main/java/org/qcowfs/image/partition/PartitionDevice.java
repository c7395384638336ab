package org.qcowfs.image.partition;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.Extent;
import org.qcowfs.image.ExtentVisitor;

/** A partition as a disk of its own: a window onto the disk that it lies on. */
public final class PartitionDevice implements BlockDevice {
  private final BlockDevice disk;
  private final long start;
  private final long length;

  /**
   * @throws IllegalArgumentException when the partition does not lie in the disk
   */
  public PartitionDevice(BlockDevice disk, Partition partition) {
    if (partition.start() < 0
        || partition.length() < 0
        || partition.start() > disk.size() - partition.length()) {
      throw new IllegalArgumentException(
          partition + " outside a disk of " + disk.size() + " bytes");
    }
    this.disk = disk;
    this.start = partition.start();
    this.length = partition.length();
  }

  @Override
  public long size() {
    return length;
  }

  @Override
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    checkRange(guestOffset, destination.remaining());
    disk.read(destination, start + guestOffset);
  }

  @Override
  public void extents(long guestOffset, long rangeBytes, ExtentVisitor visitor) throws IOException {
    checkRange(guestOffset, rangeBytes);
    disk.extents(start + guestOffset, rangeBytes, extent -> visitor.visit(seenFromHere(extent)));
  }

  private Extent seenFromHere(Extent extent) {
    return new Extent(
        extent.start() - start,
        extent.length(),
        extent.depth(),
        extent.present(),
        extent.zero(),
        extent.data(),
        extent.compressed(),
        extent.hostOffset(),
        extent.hostFile());
  }

  private void checkRange(long guestOffset, long rangeBytes) {
    if (guestOffset < 0 || rangeBytes < 0 || guestOffset > length - rangeBytes) {
      throw new IllegalArgumentException(
          "%d bytes at %d in a partition of %d bytes".formatted(rangeBytes, guestOffset, length));
    }
  }
}
