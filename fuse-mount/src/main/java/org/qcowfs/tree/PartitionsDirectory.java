package org.qcowfs.tree;

import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.partition.Partition;
import org.qcowfs.image.partition.PartitionDevice;
import org.qcowfs.image.partition.PartitionTable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The partitions of a disk, as {@code N.raw}. The table is read at the first look into the
 * directory, and again after the disk has changed. A disk without partitions, and one whose table
 * cannot be read, shows an empty directory.
 */
final class PartitionsDirectory implements DirectoryNode {
  private static final Logger LOG = LoggerFactory.getLogger(PartitionsDirectory.class);

  private final DeviceSource source;
  private final Changes changes;
  private volatile @Nullable Known known;

  PartitionsDirectory(DeviceSource source, Changes changes) {
    this.source = source;
    this.changes = changes;
  }

  /** What was found in the disk when so many changes had been made. */
  private record Known(long change, PartitionTable table, DirectoryNode files) {}

  @Override
  public Collection<String> names() throws IOException {
    return partitions().names();
  }

  @Override
  public Optional<Node> child(String name) throws IOException {
    return partitions().child(name);
  }

  /** Two threads may both read the table; they find the same. A failure is not remembered. */
  private DirectoryNode partitions() {
    long change = changes.count();
    Known before = known;
    if (before != null && before.change == change) {
      return before.files;
    }
    try {
      BlockDevice disk = source.open();
      PartitionTable table = PartitionTable.read(disk);
      // A table that is still the same keeps its files, and what they know.
      DirectoryNode files =
          before != null && before.table.equals(table) ? before.files : files(disk, table);
      known = new Known(change, table, files);
      return files;
    } catch (IOException e) {
      LOG.debug("no partitions shown: {}", e.getMessage());
      return new FixedDirectory(Map.of());
    }
  }

  private DirectoryNode files(BlockDevice disk, PartitionTable table) {
    table.problems().forEach(problem -> LOG.debug("partition table: {}", problem));
    Map<String, Node> files = new LinkedHashMap<>();
    for (Partition partition : table.partitions()) {
      BlockDevice window = new PartitionDevice(disk, partition);
      files.put(partition.number() + ".raw", new DeviceFile(window.size(), () -> window, changes));
    }
    return new FixedDirectory(files);
  }
}
