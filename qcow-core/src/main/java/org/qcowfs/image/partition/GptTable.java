package org.qcowfs.image.partition;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads the partitions of a GPT: from the primary header, or else from the backup, which lies in
 * the last sector or, where the disk was resized later, where the primary header says.
 */
final class GptTable {
  private static final int[] SECTOR_SIZES = {512, 4096};

  private final TableReader reader;
  private final List<GptHeader> headersWithBrokenEntries = new ArrayList<>();

  GptTable(TableReader reader) {
    this.reader = reader;
  }

  PartitionTable read() throws IOException {
    Optional<PartitionTable> primary = firstWhole(size -> 1);
    if (primary.isPresent()) {
      return primary.get();
    }
    Optional<PartitionTable> backup = firstWhole(size -> reader.size() / size - 1);
    if (backup.isEmpty()) {
      backup = whereThePrimarySays();
    }
    return backup.orElseGet(
        () -> PartitionTable.none(List.of("GPT: neither the primary nor the backup is whole")));
  }

  private Optional<PartitionTable> firstWhole(HeaderPlace place) throws IOException {
    for (int sectorBytes : SECTOR_SIZES) {
      Optional<PartitionTable> table = table(sectorBytes, place.sector(sectorBytes));
      if (table.isPresent()) {
        return table;
      }
    }
    return Optional.empty();
  }

  private Optional<PartitionTable> whereThePrimarySays() throws IOException {
    for (GptHeader header : List.copyOf(headersWithBrokenEntries)) {
      Optional<PartitionTable> table = table(header.sectorBytes(), header.backupSector());
      if (table.isPresent()) {
        return table;
      }
    }
    return Optional.empty();
  }

  private Optional<PartitionTable> table(int sectorBytes, long sector) throws IOException {
    Optional<GptHeader> header = GptHeader.read(reader, sectorBytes, sector);
    if (header.isEmpty()) {
      return Optional.empty();
    }
    Optional<GptEntries> entries = GptEntries.read(reader, header.get());
    if (entries.isEmpty()) {
      headersWithBrokenEntries.add(header.get());
      return Optional.empty();
    }
    PartitionList found = new PartitionList(reader.size(), sectorBytes);
    if (sector != 1) {
      found.problem("GPT: the primary is broken, the backup at sector " + sector + " is used");
    }
    entries.get().addTo(found);
    return Optional.of(found.table(PartitionTable.Scheme.GPT));
  }

  private interface HeaderPlace {
    long sector(int sectorBytes);
  }
}
