package org.qcowfs.tree;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.ExtentVisitor;
import org.qcowfs.image.ZeroMode;

/**
 * A writable disk that knows whether it has been changed, and whether every change was flushed.
 *
 * <p>Thread rules: as {@link BlockDevice}.
 */
public final class WatchedDisk implements BlockDevice, Changes {
  private final BlockDevice disk;
  private final AtomicLong changes = new AtomicLong();
  private final AtomicLong flushed = new AtomicLong();

  public WatchedDisk(BlockDevice disk) {
    this.disk = disk;
  }

  /**
   * How many changes have ended, failed ones included: some of their bytes may have got through.
   */
  @Override
  public long count() {
    return changes.get();
  }

  /** Whether there are changes that no flush has followed. */
  public boolean hasUnflushedChanges() {
    return flushed.get() < changes.get();
  }

  @Override
  public long size() {
    return disk.size();
  }

  @Override
  public boolean isWritable() {
    return disk.isWritable();
  }

  @Override
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    disk.read(destination, guestOffset);
  }

  @Override
  public void extents(long guestOffset, long length, ExtentVisitor visitor) throws IOException {
    disk.extents(guestOffset, length, visitor);
  }

  @Override
  public void write(ByteBuffer source, long guestOffset) throws IOException {
    try {
      disk.write(source, guestOffset);
    } finally {
      changes.incrementAndGet();
    }
  }

  @Override
  public void writeZeroes(long guestOffset, long length, ZeroMode mode) throws IOException {
    try {
      disk.writeZeroes(guestOffset, length, mode);
    } finally {
      changes.incrementAndGet();
    }
  }

  @Override
  public void allocate(long guestOffset, long length) throws IOException {
    try {
      disk.allocate(guestOffset, length);
    } finally {
      changes.incrementAndGet();
    }
  }

  @Override
  public void resize(long bytes) throws IOException {
    try {
      disk.resize(bytes);
    } finally {
      changes.incrementAndGet();
    }
  }

  @Override
  public void flush() throws IOException {
    long ended = changes.get();
    disk.flush();
    flushed.accumulateAndGet(ended, Math::max);
  }
}
