package org.qcowfs.tree;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Optional;
import org.qcowfs.error.HostIoException;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.ZeroMode;
import org.qcowfs.image.partition.Partition;
import org.qcowfs.image.partition.PartitionDevice;

/**
 * A partition of a disk as a file that can be written; its size is the table's business. The kernel
 * caches nothing of it, and what it caches of the disk's own file is kept right.
 */
final class PartitionFile implements FileNode {
  private static final int ENOSPC = 28;

  private final WatchedDisk disk;
  private final DiskPages pages;
  private final DiskHoles holes;
  private final WriteRules rules;
  private final Partition partition;
  private final PartitionWindow window;
  private final AllocatedBytes allocated;
  private final ModifiedTime modified = new ModifiedTime();

  PartitionFile(
      WatchedDisk disk,
      CurrentTable table,
      DiskPages pages,
      WriteRules rules,
      Partition partition) {
    this.disk = disk;
    this.pages = pages;
    this.holes = new DiskHoles(disk, pages);
    this.rules = rules;
    this.partition = partition;
    this.window = new PartitionWindow(disk, table, partition);
    BlockDevice device = new PartitionDevice(disk, partition);
    this.allocated = new AllocatedBytes(device::size, () -> device, disk);
  }

  /** What the file shows. */
  Partition partition() {
    return partition;
  }

  @Override
  public long size() {
    return partition.length();
  }

  @Override
  public long allocatedBytes() {
    return allocated.get();
  }

  @Override
  public boolean isWritable() {
    return true;
  }

  @Override
  public boolean mayBeCached() {
    return false;
  }

  @Override
  public Optional<Instant> modified() {
    return modified.get();
  }

  @Override
  public void setModified(Instant time) {
    modified.set(time);
  }

  @Override
  public boolean resize(long bytes) {
    return bytes == partition.length();
  }

  @Override
  public void flush() throws IOException {
    disk.flush();
  }

  @Override
  public OpenFile open() {
    return new OpenPartition();
  }

  private final class OpenPartition implements OpenFile {
    @Override
    public long size() throws IOException {
      return window.inside(0, Long.MAX_VALUE);
    }

    @Override
    public long nextData(long offset) throws IOException {
      long left = window.inside(offset, Long.MAX_VALUE);
      long from = window.guestOffset(offset);
      return left == 0 ? -1 : seenFromHere(holes.nextData(from, from + left));
    }

    @Override
    public long nextHole(long offset) throws IOException {
      long left = window.inside(offset, Long.MAX_VALUE);
      long from = window.guestOffset(offset);
      return left == 0 ? -1 : seenFromHere(holes.nextHole(from, from + left));
    }

    private long seenFromHere(long guestOffset) {
      return guestOffset < 0 ? -1 : guestOffset - window.guestOffset(0);
    }

    @Override
    public int read(ByteBuffer destination, long offset) throws IOException {
      int count = (int) window.inside(offset, destination.remaining());
      if (count == 0) {
        return 0;
      }
      int limit = destination.limit();
      destination.limit(destination.position() + count);
      pages.writeOut(window.guestOffset(offset), count);
      window.access(offset, count, guestOffset -> disk.read(destination, guestOffset));
      destination.limit(limit);
      return count;
    }

    @Override
    public int write(ByteBuffer source, long offset) throws IOException {
      int count = (int) window.inside(offset, source.remaining());
      if (count > 0) {
        source.limit(source.position() + count);
        change(offset, count, guestOffset -> rules.write(disk, source, guestOffset));
      }
      return count;
    }

    @Override
    public void allocate(long offset, long length, boolean keepSize) throws IOException {
      long inside = inside(offset, length, keepSize);
      change(offset, inside, guestOffset -> disk.allocate(guestOffset, inside));
    }

    @Override
    public void zero(long offset, long length, boolean keepSize) throws IOException {
      zero(offset, inside(offset, length, keepSize), ZeroMode.KEEP);
    }

    @Override
    public void punchHole(long offset, long length) throws IOException {
      zero(offset, inside(offset, length, true), rules.discard());
    }

    private void zero(long offset, long length, ZeroMode mode) throws IOException {
      change(offset, length, guestOffset -> disk.writeZeroes(guestOffset, length, mode));
    }

    /** As of a block device: what would have to make it longer finds no space. */
    private long inside(long offset, long length, boolean keepSize) throws IOException {
      if (offset < 0 || length <= 0) {
        throw new IllegalArgumentException("%d bytes at %d".formatted(length, offset));
      }
      long inside = window.inside(offset, length);
      if (inside < length && !keepSize) {
        throw new HostIoException(
            ENOSPC, "partition %d has a fixed size".formatted(partition.number()));
      }
      return inside;
    }

    /** The kernel is asked outside of the window, which a change of the table waits for. */
    private void change(long offset, long length, PartitionWindow.Access change)
        throws IOException {
      if (length == 0) {
        return;
      }
      long guestOffset = window.guestOffset(offset);
      pages.writeOut(guestOffset, length);
      try {
        window.access(offset, length, change);
        modified.changed();
      } finally {
        pages.forget(guestOffset, length);
      }
    }

    @Override
    public void flush() throws IOException {
      disk.flush();
    }

    @Override
    public void close() {
      // The disk belongs to the image.
    }
  }
}
