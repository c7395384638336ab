package org.qcowfs.tree;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.qcowfs.image.partition.PartitionTable;

/** The partition table of a disk that is written: read again after a change of its sectors. */
final class WatchedTable implements CurrentTable {
  private final WatchedDisk disk;
  private volatile @Nullable Known known;

  private record Known(TableReading reading, PartitionTable table) {}

  WatchedTable(WatchedDisk disk) {
    this.disk = disk;
  }

  @Override
  public PartitionTable get() throws IOException {
    Known seen = known;
    return seen == null || seen.reading.isOutdated() ? read() : seen.table;
  }

  /** One at a time: the disk tells only the last reading of changes. */
  private synchronized PartitionTable read() throws IOException {
    Known before = known;
    if (before != null && !before.reading.isOutdated()) {
      return before.table;
    }
    TableReading reading = disk.newTableReading();
    PartitionTable table = PartitionTable.read(reading);
    known = new Known(reading, table);
    return table;
  }
}
