package org.qcowfs.tree;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.qcowfs.image.partition.PartitionTable;

/**
 * The partition table of a disk that does not change. Two threads may read it and find the same.
 */
final class FixedTable implements CurrentTable {
  private final DeviceSource source;
  private volatile @Nullable PartitionTable known;

  FixedTable(DeviceSource source) {
    this.source = source;
  }

  @Override
  public PartitionTable get() throws IOException {
    PartitionTable table = known;
    if (table == null) {
      table = PartitionTable.read(source.open());
      known = table;
    }
    return table;
  }
}
