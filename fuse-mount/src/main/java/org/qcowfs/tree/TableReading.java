package org.qcowfs.tree;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.ExtentVisitor;

/**
 * One reading of a disk's partition table. Notes which bytes the table was found in, each range
 * before it is read: a change of any of them that ends later makes the reading outdated. Other
 * changes cannot matter, since the same bytes give the same table.
 *
 * <p>Thread rules: one thread reads; all others may tell of changes meanwhile.
 */
final class TableReading implements BlockDevice {
  private final BlockDevice disk;
  private final List<Range> ranges = new CopyOnWriteArrayList<>();
  private volatile boolean outdated;

  private record Range(long start, long end) {}

  TableReading(BlockDevice disk) {
    this.disk = disk;
  }

  /** Whether a byte of that range says where partitions lie. */
  boolean covers(long guestOffset, long length) {
    for (Range range : ranges) {
      if (guestOffset < range.end && range.start - guestOffset < length) {
        return true;
      }
    }
    return false;
  }

  /** A change of that range has ended, or may have got half through. */
  void changed(long guestOffset, long length) {
    if (covers(guestOffset, length)) {
      outdated = true;
    }
  }

  /** The size of the disk has changed, by which tables are found and partitions clipped. */
  void resized() {
    outdated = true;
  }

  boolean isOutdated() {
    return outdated;
  }

  @Override
  public long size() {
    return disk.size();
  }

  @Override
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    ranges.add(new Range(guestOffset, guestOffset + destination.remaining()));
    disk.read(destination, guestOffset);
  }

  @Override
  public void extents(long guestOffset, long length, ExtentVisitor visitor) throws IOException {
    throw new UnsupportedOperationException("a partition table is found by its bytes");
  }
}
