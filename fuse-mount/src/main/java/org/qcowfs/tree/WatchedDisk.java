package org.qcowfs.tree;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.ExtentVisitor;
import org.qcowfs.image.ZeroMode;

/**
 * A writable disk that knows whether it has been changed, whether every change was flushed, and
 * whether its partition table is still the one that was read.
 *
 * <p>Thread rules: as {@link BlockDevice}.
 */
public final class WatchedDisk implements BlockDevice, Changes {
  private final BlockDevice disk;
  private final AtomicLong changes = new AtomicLong();
  private final AtomicLong flushed = new AtomicLong();
  private final ReentrantReadWriteLock tables = new ReentrantReadWriteLock();
  private volatile TableReading table;

  public WatchedDisk(BlockDevice disk) {
    this.disk = disk;
    this.table = new TableReading(disk);
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
    int length = source.remaining();
    boolean alone = beginChange(guestOffset, length);
    try {
      disk.write(source, guestOffset);
    } finally {
      endChange(guestOffset, length, alone);
    }
  }

  @Override
  public void writeZeroes(long guestOffset, long length, ZeroMode mode) throws IOException {
    boolean alone = beginChange(guestOffset, length);
    try {
      disk.writeZeroes(guestOffset, length, mode);
    } finally {
      endChange(guestOffset, length, alone);
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
    tables.writeLock().lock();
    try {
      disk.resize(bytes);
    } finally {
      table.resized();
      changes.incrementAndGet();
      tables.writeLock().unlock();
    }
  }

  /**
   * A change of the partition table waits for what is done through partitions. One that comes
   * through a partition itself, as where a partition begins at the table, cannot.
   *
   * @return whether it excludes them; to be handed to {@link #endChange}, which must follow
   */
  private boolean beginChange(long guestOffset, long length) {
    boolean alone = table.covers(guestOffset, length) && tables.getReadHoldCount() == 0;
    if (alone) {
      tables.writeLock().lock();
    }
    return alone;
  }

  private void endChange(long guestOffset, long length, boolean alone) {
    table.changed(guestOffset, length);
    changes.incrementAndGet();
    if (alone) {
      tables.writeLock().unlock();
    }
  }

  /**
   * The disk, to read its partition table from: the reading is told of every change of the table
   * that ends from now on, and an earlier reading of none.
   */
  TableReading newTableReading() {
    TableReading reading = new TableReading(disk);
    table = reading;
    return reading;
  }

  /** Held by who relies on the partition table for the length of a read or write of the disk. */
  Lock keepTable() {
    return tables.readLock();
  }

  @Override
  public void flush() throws IOException {
    long ended = changes.get();
    disk.flush();
    flushed.accumulateAndGet(ended, Math::max);
  }
}
