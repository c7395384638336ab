package org.qcowfs.image.partition;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reads the partitions of an MBR: the primary ones, 1 to 4, then the logical ones along the chain
 * of boot records in each extended partition.
 */
final class MbrTable {
  /** Linux knows no more partitions of a disk than this either. */
  static final int MAX_BOOT_RECORDS = 256;

  private static final int FIRST_LOGICAL_NUMBER = 5;

  private final TableReader reader;
  private final PartitionList found;
  private final Set<Long> visited = new HashSet<>();
  private int bootRecords;
  private int nextNumber = FIRST_LOGICAL_NUMBER;

  MbrTable(TableReader reader) {
    this.reader = reader;
    this.found = new PartitionList(reader.size(), MbrSector.BYTES);
  }

  PartitionTable read(MbrSector mbr) throws IOException {
    List<MbrEntry> entries = mbr.entries();
    for (int index = 0; index < entries.size(); index++) {
      MbrEntry entry = entries.get(index);
      if (entry.isUsed() && !entry.isExtended()) {
        add(index + 1, 0, entry);
      }
    }
    for (MbrEntry entry : entries) {
      if (entry.isUsed() && entry.isExtended()) {
        followChain(entry.startSector());
      }
    }
    return found.table(PartitionTable.Scheme.MBR);
  }

  /** Every link of the chain is relative to the extended partition, not to the link before. */
  private void followChain(long extendedStart) throws IOException {
    Optional<Long> next = Optional.of(extendedStart);
    while (next.isPresent()) {
      long sector = next.get();
      if (bootRecords++ == MAX_BOOT_RECORDS) {
        found.problem(
            "logical partitions: only the first %d are shown".formatted(MAX_BOOT_RECORDS));
        return;
      }
      if (!visited.add(sector)) {
        found.problem("logical partitions: their chain returns to sector " + sector);
        return;
      }
      Optional<MbrSector> record = MbrSector.read(reader, sector);
      if (record.isEmpty()) {
        found.problem("logical partitions: no boot record at sector " + sector);
        return;
      }
      addLogical(sector, record.get().entries());
      next = nextBootRecord(record.get()).map(entry -> extendedStart + entry.startSector());
    }
  }

  private static Optional<MbrEntry> nextBootRecord(MbrSector record) {
    return record.entries().stream().filter(e -> e.isUsed() && e.isExtended()).findFirst();
  }

  /** Only the first two entries of a boot record are defined; the others may hold anything. */
  private void addLogical(long bootRecord, List<MbrEntry> entries) {
    for (MbrEntry entry : entries.subList(0, 2)) {
      if (entry.isUsed() && !entry.isExtended()) {
        add(nextNumber++, bootRecord, entry);
      }
    }
  }

  private void add(int number, long base, MbrEntry entry) {
    found.add(
        number, base + entry.startSector(), base + entry.endSector() - 1, entry.typeName(), "");
  }
}
