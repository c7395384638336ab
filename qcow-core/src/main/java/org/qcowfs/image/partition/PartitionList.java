package org.qcowfs.image.partition;

import java.util.ArrayList;
import java.util.List;

/** Gathers the partitions of one table and holds them to the disk's bounds. */
final class PartitionList {
  private final long diskBytes;
  private final int sectorBytes;
  private final List<Partition> partitions = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();

  PartitionList(long diskBytes, int sectorBytes) {
    this.diskBytes = diskBytes;
    this.sectorBytes = sectorBytes;
  }

  /** Adds the partition, clipped to the disk, or a problem where nothing of it lies in the disk. */
  void add(int number, long firstSector, long lastSector, String type, String name) {
    if (firstSector < 0 || lastSector < firstSector) {
      problem(
          "partition %d left out: sectors %s to %s are no range"
              .formatted(number, unsigned(firstSector), unsigned(lastSector)));
      return;
    }
    long lastOfDisk = (diskBytes - 1) / sectorBytes;
    if (firstSector > lastOfDisk) {
      problem(
          "partition %d left out: it starts at sector %d, the disk ends at sector %d"
              .formatted(number, firstSector, lastOfDisk));
      return;
    }
    if (lastSector > lastOfDisk) {
      problem(
          "partition %d clipped: it ends at sector %d, the disk at sector %d"
              .formatted(number, lastSector, lastOfDisk));
    }
    long start = firstSector * sectorBytes;
    long end = Math.min(diskBytes, (Math.min(lastSector, lastOfDisk) + 1) * sectorBytes);
    partitions.add(new Partition(number, start, end - start, type, name));
  }

  void problem(String text) {
    problems.add(text);
  }

  PartitionTable table(PartitionTable.Scheme scheme) {
    return new PartitionTable(scheme, sectorBytes, List.copyOf(partitions), List.copyOf(problems));
  }

  private static String unsigned(long sector) {
    return Long.toUnsignedString(sector);
  }
}
