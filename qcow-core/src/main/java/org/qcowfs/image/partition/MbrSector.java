package org.qcowfs.image.partition;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A sector that ends in 0x55 0xAA: an MBR, the boot record of a logical partition, or the boot
 * sector of a filesystem that was made on the bare disk.
 *
 * @param entries the four entries of a partition table, if that is what the sector holds
 * @param fileSystemLikely whether a FAT, exFAT or NTFS filesystem starts in the sector
 */
record MbrSector(List<MbrEntry> entries, boolean fileSystemLikely) {
  static final int BYTES = 512;
  private static final int TABLE_OFFSET = 446;
  private static final int SIGNATURE_OFFSET = 510;
  private static final short SIGNATURE = (short) 0xAA55;
  private static final int ENTRY_COUNT = 4;

  /** The sector of that number; empty when it lies outside the disk or has no signature. */
  static Optional<MbrSector> read(TableReader reader, long sector) throws IOException {
    return reader
        .read(sector * BYTES, BYTES)
        .filter(bytes -> bytes.getShort(SIGNATURE_OFFSET) == SIGNATURE)
        .map(MbrSector::decode);
  }

  private static MbrSector decode(ByteBuffer sector) {
    List<MbrEntry> entries =
        IntStream.range(0, ENTRY_COUNT)
            .mapToObj(index -> MbrEntry.decode(sector, TABLE_OFFSET + index * MbrEntry.BYTES))
            .toList();
    return new MbrSector(entries, FileSystemBootSector.isLikely(sector));
  }

  /** Whether the disk has a GPT, of which this sector only keeps others away. */
  boolean isProtective() {
    return entries.stream().anyMatch(entry -> entry.type() == MbrEntry.TYPE_GPT_PROTECTIVE);
  }

  /**
   * Whether the entries are a partition table and not the boot code of a filesystem. Boot loaders
   * leave the description of an earlier filesystem in the sector, so that alone decides nothing;
   * but then the entries must be beyond doubt.
   */
  boolean isPartitionTable(long diskBytes) {
    boolean indicatorsValid =
        entries.stream().allMatch(e -> e.bootIndicator() == 0 || e.bootIndicator() == 0x80);
    return indicatorsValid && (!fileSystemLikely || isFlawless(diskBytes / BYTES));
  }

  private boolean isFlawless(long diskSectors) {
    List<MbrEntry> used = entries.stream().filter(MbrEntry::isUsed).toList();
    return !used.isEmpty()
        && used.stream()
            .allMatch(e -> e.type() != 0 && e.startSector() > 0 && e.endSector() <= diskSectors)
        && IntStream.range(0, used.size())
            .allMatch(index -> isClearOf(used.get(index), used.subList(index + 1, used.size())));
  }

  private static boolean isClearOf(MbrEntry entry, List<MbrEntry> others) {
    return others.stream()
        .noneMatch(
            other ->
                entry.startSector() < other.endSector() && other.startSector() < entry.endSector());
  }
}
