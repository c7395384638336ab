package org.qcowfs.image.partition;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.qcowfs.image.BlockDevice;

/**
 * The partition table of a disk.
 *
 * <p>A disk whose MBR holds an entry of type 0xEE has a GPT, and no partitions when neither the
 * primary nor the backup GPT is whole, as in Linux. An MBR counts sectors of 512 bytes. The
 * extended partition of an MBR is left out: it is only the container of the logical ones.
 *
 * @param scheme which kind of table was found
 * @param sectorBytes the sector size that the table counts in; 512 where there is none
 * @param partitions in ascending order of their numbers; they may overlap
 * @param problems what was clipped, left out or passed over, and why; one line each
 */
public record PartitionTable(
    Scheme scheme, int sectorBytes, List<Partition> partitions, List<String> problems) {
  /** The kinds of partition table. */
  public enum Scheme {
    NONE,
    MBR,
    GPT
  }

  /**
   * Reads the table of a disk.
   *
   * @throws IOException when a sector that the table lies in cannot be read; a malformed table is
   *     no reason
   */
  public static PartitionTable read(BlockDevice disk) throws IOException {
    TableReader reader = new TableReader(disk);
    Optional<MbrSector> first = MbrSector.read(reader, 0);
    if (first.isEmpty()) {
      return none(List.of());
    }
    if (first.get().isProtective()) {
      return new GptTable(reader).read();
    }
    if (!first.get().isPartitionTable(reader.size())) {
      return none(List.of());
    }
    return new MbrTable(reader).read(first.get());
  }

  static PartitionTable none(List<String> problems) {
    return new PartitionTable(Scheme.NONE, MbrSector.BYTES, List.of(), problems);
  }
}
