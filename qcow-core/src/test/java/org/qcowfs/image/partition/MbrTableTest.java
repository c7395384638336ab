package org.qcowfs.image.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.qcowfs.image.partition.TableWriter.EXTENDED;
import static org.qcowfs.image.partition.TableWriter.LINUX;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.qcowfs.image.partition.PartitionTable.Scheme;

final class MbrTableTest {
  private final MemoryDisk disk = new MemoryDisk(1 << 20);
  private final TableWriter writer = new TableWriter(disk);

  @Test
  void aDiskOfZerosHasNoTable() throws IOException {
    assertThat(PartitionTable.read(disk)).isEqualTo(PartitionTable.none(List.of()));
  }

  @Test
  void aDiskSmallerThanASectorHasNoTable() throws IOException {
    assertThat(PartitionTable.read(new MemoryDisk(511)).scheme()).isEqualTo(Scheme.NONE);
    assertThat(PartitionTable.read(new MemoryDisk(0)).scheme()).isEqualTo(Scheme.NONE);
  }

  @Test
  void entriesWithoutTheSignatureAreNoTable() throws IOException {
    writer.entry(0, 0, LINUX, 8, 8);
    disk.bytes.put(511, (byte) 0);
    assertThat(PartitionTable.read(disk).partitions()).isEmpty();
  }

  @Test
  void primaryPartitionsAreNumberedByTheirEntry() throws IOException {
    writer.entry(0, 0, LINUX, 8, 16).entry(0, 3, 0x0C, 64, 100);
    PartitionTable table = PartitionTable.read(disk);
    assertThat(table.scheme()).isEqualTo(Scheme.MBR);
    assertThat(table.problems()).isEmpty();
    assertThat(table.partitions())
        .containsExactly(
            new Partition(1, 4096, 8192, "0x83", ""), new Partition(4, 32768, 51200, "0x0c", ""));
  }

  @Test
  void logicalPartitionsAreNumberedFromFiveAndTheirContainerIsLeftOut() throws IOException {
    writer.entry(0, 0, LINUX, 8, 8).entry(0, 1, EXTENDED, 100, 900);
    writer.entry(100, 0, LINUX, 10, 20).entry(100, 1, EXTENDED, 200, 100);
    writer.entry(300, 0, 0x07, 1, 30);
    assertThat(PartitionTable.read(disk).partitions())
        .containsExactly(
            new Partition(1, 4096, 4096, "0x83", ""),
            new Partition(5, 110 * 512, 20 * 512, "0x83", ""),
            new Partition(6, 301 * 512, 30 * 512, "0x07", ""));
  }

  @Test
  void aChainThatReturnsEnds() throws IOException {
    writer.entry(0, 0, EXTENDED, 100, 900);
    writer.entry(100, 0, LINUX, 10, 20).entry(100, 1, EXTENDED, 200, 100);
    writer.entry(300, 0, LINUX, 1, 30).entry(300, 1, EXTENDED, 0, 100);
    PartitionTable table = PartitionTable.read(disk);
    assertThat(table.partitions()).extracting(Partition::number).containsExactly(5, 6);
    assertThat(table.problems())
        .containsExactly("logical partitions: their chain returns to sector 100");
  }

  @Test
  void aChainLongerThanTheLimitIsCut() throws IOException {
    writer.entry(0, 0, EXTENDED, 1, 1900);
    for (int link = 0; link < 400; link++) {
      writer.entry(1 + link, 0, LINUX, 1000, 1).entry(1 + link, 1, EXTENDED, link + 1, 1);
    }
    PartitionTable table = PartitionTable.read(disk);
    assertThat(table.partitions()).hasSize(MbrTable.MAX_BOOT_RECORDS);
    assertThat(table.problems())
        .containsExactly("logical partitions: only the first 256 are shown");
  }

  @Test
  void aChainThatLeavesTheDiskKeepsWhatCameBefore() throws IOException {
    writer.entry(0, 0, EXTENDED, 100, 900);
    writer.entry(100, 0, LINUX, 10, 20).entry(100, 1, EXTENDED, 0xFFFF_FFFFL, 1);
    PartitionTable table = PartitionTable.read(disk);
    assertThat(table.partitions()).hasSize(1);
    assertThat(table.problems())
        .containsExactly("logical partitions: no boot record at sector 4294967395");
  }

  @Test
  void aPartitionBeyondTheEndIsClippedOrLeftOutWithAReason() throws IOException {
    writer.entry(0, 0, LINUX, 2000, 0xFFFF_FFFFL).entry(0, 1, LINUX, 2048, 1);
    PartitionTable table = PartitionTable.read(disk);
    assertThat(table.partitions())
        .containsExactly(new Partition(1, 2000 * 512, 48 * 512, "0x83", ""));
    assertThat(table.problems())
        .containsExactly(
            "partition 1 clipped: it ends at sector 4294969294, the disk at sector 2047",
            "partition 2 left out: it starts at sector 2048, the disk ends at sector 2047");
  }

  @Test
  void overlappingPartitionsAreBothShown() throws IOException {
    writer.entry(0, 0, LINUX, 8, 100).entry(0, 1, LINUX, 50, 100);
    assertThat(PartitionTable.read(disk).partitions()).hasSize(2);
  }

  @Test
  void anInvalidBootIndicatorMeansThatItIsNoTable() throws IOException {
    writer.entry(0, 0, LINUX, 8, 100).bootIndicator(2, 0x12);
    assertThat(PartitionTable.read(disk).scheme()).isEqualTo(Scheme.NONE);
    writer.bootIndicator(2, 0x80);
    assertThat(PartitionTable.read(disk).scheme()).isEqualTo(Scheme.MBR);
  }

  @Test
  void theBootCodeOfAFileSystemIsNoTable() throws IOException {
    writer.fatBootSector();
    assertThat(PartitionTable.read(disk).scheme()).isEqualTo(Scheme.NONE);
    writer.entry(0, 1, 0x6F, 0x6B736964, 0x72652020);
    assertThat(PartitionTable.read(disk).scheme()).isEqualTo(Scheme.NONE);
  }

  @Test
  void theBootCodeOfNtfsIsNoTable() throws IOException {
    writer.ntfsBootSector().entry(0, 1, 0x6F, 100, 5000);
    assertThat(PartitionTable.read(disk).scheme()).isEqualTo(Scheme.NONE);
  }

  @Test
  void aTableBeyondDoubtWinsOverTheRemainsOfAFileSystem() throws IOException {
    writer.fatBootSector().entry(0, 0, LINUX, 8, 100).entry(0, 1, LINUX, 108, 100);
    assertThat(PartitionTable.read(disk).partitions()).hasSize(2);
    writer.entry(0, 1, LINUX, 107, 100);
    assertThat(PartitionTable.read(disk).partitions()).isEmpty();
  }
}
