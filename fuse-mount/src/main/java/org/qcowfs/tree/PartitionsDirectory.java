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
 * directory, and again after it has changed. A disk without partitions, and one whose table cannot
 * be read, shows an empty directory.
 */
final class PartitionsDirectory implements DirectoryNode {
  private final CurrentTable current;
  private final PartitionNodes nodes;
  private volatile @Nullable Known known;

  private PartitionsDirectory(CurrentTable current, PartitionNodes nodes) {
    this.current = current;
    this.nodes = nodes;
  }

  /** Makes the file of a partition. */
  @FunctionalInterface
  private interface PartitionNodes {
    FileNode of(Partition partition) throws IOException;
  }

  private record Known(PartitionTable table, Map<Partition, FileNode> files, DirectoryNode shown) {}

  /** The partitions of a disk that can only be read. */
  static PartitionsDirectory of(DeviceSource disk) {
    return new PartitionsDirectory(
        new FixedTable(disk),
        partition -> {
          BlockDevice window = new PartitionDevice(disk.open(), partition);
          return new DeviceFile(window.size(), () -> window);
        });
  }

  /** The partitions of a disk that is written, by way of them too. */
  static PartitionsDirectory writable(WatchedDisk disk, DiskPages pages, WriteRules rules) {
    CurrentTable table = new WatchedTable(disk);
    return new PartitionsDirectory(
        table, partition -> new PartitionFile(disk, table, pages, rules, partition));
  }

  @Override
  public Collection<String> names() throws IOException {
    return partitions().names();
  }

  @Override
  public Optional<Node> child(String name) throws IOException {
    return partitions().child(name);
  }

  private DirectoryNode partitions() {
    try {
      PartitionTable table = current.get();
      Known before = known;
      if (before != null && before.table.equals(table)) {
        return before.shown;
      }
      Known now = known(table, before == null ? Map.of() : before.files);
      known = now;
      return now.shown;
    } catch (IOException e) {
      log().debug("no partitions shown: {}", e.getMessage());
      return new FixedDirectory(Map.of());
    }
  }

  /** A partition that is still the same keeps its file, and what the file knows. */
  private Known known(PartitionTable table, Map<Partition, FileNode> before) throws IOException {
    table.problems().forEach(problem -> log().debug("partition table: {}", problem));
    Map<Partition, FileNode> files = new LinkedHashMap<>();
    Map<String, Node> shown = new LinkedHashMap<>();
    for (Partition partition : table.partitions()) {
      FileNode file = before.get(partition);
      file = file == null ? nodes.of(partition) : file;
      files.put(partition, file);
      shown.put(partition.number() + ".raw", file);
    }
    return new Known(table, files, new FixedDirectory(shown));
  }

  /** Not kept: making the first logger is a good part of the start of a mount. */
  private static Logger log() {
    return LoggerFactory.getLogger(PartitionsDirectory.class);
  }
}
