package org.qcowfs.tree;

import java.io.IOException;
import java.util.Optional;
import org.qcowfs.error.HostIoException;
import org.qcowfs.image.partition.Partition;

/**
 * Where on a disk the bytes of a partition lie that somebody has open. The partition may grow or
 * shrink at its end; once it begins elsewhere or is gone, nothing is reached through it any more.
 */
final class PartitionWindow {
  private static final int ESTALE = 116;

  private final WatchedDisk disk;
  private final CurrentTable table;
  private final int number;
  private final long start;

  PartitionWindow(WatchedDisk disk, CurrentTable table, Partition partition) {
    this.disk = disk;
    this.table = table;
    this.number = partition.number();
    this.start = partition.start();
  }

  /** What is done to the disk through the window. */
  @FunctionalInterface
  interface Access {
    void at(long guestOffset) throws IOException;
  }

  /** How much of a range that begins in or behind the partition lies in it; 0 if nothing does. */
  long inside(long offset, long length) throws IOException {
    return Math.max(0, Math.min(current().length() - offset, length));
  }

  /** The guest offset of a byte. */
  long guestOffset(long offset) {
    return start + offset;
  }

  /**
   * Does it, if the range still lies in the partition; the partition table is not changed through
   * the disk meanwhile.
   */
  void access(long offset, long length, Access access) throws IOException {
    disk.keepTable().lock();
    try {
      if (inside(offset, length) < length) {
        throw stale("now ends earlier");
      }
      access.at(start + offset);
    } finally {
      disk.keepTable().unlock();
    }
  }

  private Partition current() throws IOException {
    Optional<Partition> now =
        table.get().partitions().stream().filter(one -> one.number() == number).findFirst();
    if (now.isEmpty() || now.get().start() != start) {
      throw stale(now.isEmpty() ? "is gone" : "now begins elsewhere");
    }
    return now.get();
  }

  private HostIoException stale(String how) {
    return new HostIoException(
        ESTALE, "partition %d, opened before, %s; open it again".formatted(number, how));
  }
}
