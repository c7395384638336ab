package org.qcowfs.image.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.qcowfs.image.partition.TableWriter.PROTECTIVE;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.image.partition.PartitionTable.Scheme;

final class GptTableTest {
  private static final String LINUX_DATA = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
  private static final int SECTORS = 2048;

  private final MemoryDisk disk = new MemoryDisk(SECTORS * 512);
  private final TableWriter writer = new TableWriter(disk);

  /** Primary and backup with the partitions 1 and 3. */
  private void writeGpt() {
    writer.entry(0, 0, PROTECTIVE, 1, SECTORS - 1);
    writeEntries(2 * 512);
    writeEntries((SECTORS - 33) * 512L);
    writer.gptHeader(512, 1, SECTORS - 1, 2, 128);
    writer.gptHeader(512, SECTORS - 1, 1, SECTORS - 33, 128);
  }

  private void writeEntries(long offset) {
    writer.gptEntry(offset, 0, 40, 79, "rôle").gptEntry(offset, 2, 100, 199, "b");
  }

  private PartitionTable assertBothPartitions() throws IOException {
    PartitionTable table = PartitionTable.read(disk);
    assertThat(table.scheme()).isEqualTo(Scheme.GPT);
    assertThat(table.partitions())
        .containsExactly(
            new Partition(1, 40 * 512, 40 * 512, LINUX_DATA, "rôle"),
            new Partition(3, 100 * 512, 100 * 512, LINUX_DATA, "b"));
    return table;
  }

  @Test
  void partitionsAreReadFromThePrimary() throws IOException {
    writeGpt();
    assertThat(assertBothPartitions().problems()).isEmpty();
  }

  @Test
  void withoutAProtectiveMbrAGptIsNotLookedFor() throws IOException {
    writeGpt();
    disk.bytes.put(446 + 4, (byte) 0x83);
    assertThat(PartitionTable.read(disk).scheme()).isEqualTo(Scheme.MBR);
  }

  @Test
  void aHybridMbrStillMeansAGpt() throws IOException {
    writeGpt();
    writer.entry(0, 1, 0x83, 40, 40);
    assertBothPartitions();
  }

  @ParameterizedTest(name = "byte {0} of the disk changed")
  @ValueSource(
      ints = {512, 512 + 12, 512 + 16, 512 + 24, 512 + 72, 512 + 91, 1024, 1024 + 127 * 128})
  void theBackupServesWhenThePrimaryIsBroken(int offset) throws IOException {
    writeGpt();
    disk.bytes.put(offset, (byte) (disk.bytes.get(offset) ^ 0x40));
    assertThat(assertBothPartitions().problems())
        .containsExactly("GPT: the primary is broken, the backup at sector 2047 is used");
  }

  @Test
  void aHeaderCopiedToAnotherSectorIsNotBelieved() throws IOException {
    writeGpt();
    disk.bytes.put(512, new byte[512]);
    disk.bytes.putLong((SECTORS - 1) * 512 + 24, SECTORS - 2);
    writer.gptHeaderCrc((SECTORS - 1) * 512);
    assertThat(PartitionTable.read(disk).scheme()).isEqualTo(Scheme.NONE);
  }

  @Test
  void theBackupIsFoundWhereThePrimarySaysOnADiskThatHasGrown() throws IOException {
    writer.entry(0, 0, PROTECTIVE, 1, 999);
    writeEntries(900 * 512);
    writer.gptHeader(512, 999, 1, 900, 128);
    writer.gptHeader(512, 1, 999, 2, 128);
    disk.bytes.put(1024, (byte) 1);
    assertThat(assertBothPartitions().problems())
        .containsExactly("GPT: the primary is broken, the backup at sector 999 is used");
  }

  @Test
  void aDiskWithoutAWholeHeaderHasNoPartitions() throws IOException {
    writer.entry(0, 0, PROTECTIVE, 1, SECTORS - 1);
    PartitionTable table = PartitionTable.read(disk);
    assertThat(table.scheme()).isEqualTo(Scheme.NONE);
    assertThat(table.problems())
        .containsExactly("GPT: neither the primary nor the backup is whole");
  }

  @Test
  void sectorsOf4096BytesAreRecognised() throws IOException {
    writer.entry(0, 0, PROTECTIVE, 1, 255);
    writer.gptEntry(2 * 4096, 1, 6, 9, "wide").gptHeader(4096, 1, 255, 2, 128);
    PartitionTable table = PartitionTable.read(disk);
    assertThat(table.sectorBytes()).isEqualTo(4096);
    assertThat(table.partitions())
        .containsExactly(new Partition(2, 6 * 4096, 4 * 4096, LINUX_DATA, "wide"));
  }

  @Test
  void theBackupWith4096ByteSectorsServesToo() throws IOException {
    writer.entry(0, 0, PROTECTIVE, 1, 255);
    writer.gptEntry(200 * 4096, 0, 6, 9, "").gptHeader(4096, 255, 1, 200, 128);
    assertThat(PartitionTable.read(disk).partitions()).hasSize(1);
  }

  @ParameterizedTest(name = "{0} entries")
  @ValueSource(ints = {8193, 0x0200_0000, 0x7FFF_FFFF, -1})
  void moreEntriesThanTheLimitAreRefusedBeforeMemoryIsTaken(int count) throws IOException {
    writeGpt();
    breakBothHeaders(80, count);
    assertThat(PartitionTable.read(disk).scheme()).isEqualTo(Scheme.NONE);
    assertThat(disk.highestByteRead()).isEqualTo(disk.size() - 1);
  }

  @ParameterizedTest(name = "entries of {0} bytes")
  @ValueSource(ints = {0, 64, 129, 192, 0x4000_0000, -128})
  void entrySizesOutsideTheSpecificationAreRefused(int entryBytes) throws IOException {
    writeGpt();
    breakBothHeaders(84, entryBytes);
    assertThat(PartitionTable.read(disk).scheme()).isEqualTo(Scheme.NONE);
  }

  @ParameterizedTest(name = "header of {0} bytes")
  @ValueSource(ints = {0, 91, 513, -1})
  void headerSizesOutsideTheSectorAreRefused(int headerBytes) throws IOException {
    writeGpt();
    disk.bytes.putInt(512 + 12, headerBytes).putInt((SECTORS - 1) * 512 + 12, headerBytes);
    assertThat(PartitionTable.read(disk).scheme()).isEqualTo(Scheme.NONE);
  }

  @Test
  void entriesOutsideTheDiskAreRefused() throws IOException {
    writeGpt();
    for (long sector : new long[] {0, SECTORS, Long.MAX_VALUE, -1, 1L << 55}) {
      disk.bytes.putLong(512 + 72, sector).putLong((SECTORS - 1) * 512 + 72, sector);
      writer.gptHeaderCrc(512).gptHeaderCrc((SECTORS - 1) * 512);
      assertThat(PartitionTable.read(disk).scheme()).isEqualTo(Scheme.NONE);
    }
  }

  @Test
  void partitionsOutsideTheDiskAreClippedOrLeftOutWithAReason() throws IOException {
    writer.entry(0, 0, PROTECTIVE, 1, SECTORS - 1);
    writer.gptEntry(1024, 0, 2000, Long.MAX_VALUE, "a").gptEntry(1024, 1, 2048, 2049, "b");
    writer.gptEntry(1024, 2, 50, 49, "c").gptEntry(1024, 3, -1, -1, "d");
    writer.gptEntry(1024, 4, 0, Long.MAX_VALUE, "e").gptHeader(512, 1, SECTORS - 1, 2, 128);
    PartitionTable table = PartitionTable.read(disk);
    assertThat(table.partitions())
        .containsExactly(
            new Partition(1, 2000 * 512, 48 * 512, LINUX_DATA, "a"),
            new Partition(5, 0, disk.size(), LINUX_DATA, "e"));
    assertThat(table.problems())
        .containsExactly(
            "partition 1 clipped: it ends at sector 9223372036854775807, the disk at sector 2047",
            "partition 2 left out: it starts at sector 2048, the disk ends at sector 2047",
            "partition 3 left out: sectors 50 to 49 are no range",
            "partition 4 left out: sectors 18446744073709551615 to 18446744073709551615 are no"
                + " range",
            "partition 5 clipped: it ends at sector 9223372036854775807, the disk at sector 2047");
  }

  private void breakBothHeaders(int field, int value) {
    int backup = (SECTORS - 1) * 512;
    disk.bytes.putInt(512 + field, value).putInt(backup + field, value);
    writer.gptHeaderCrc(512).gptHeaderCrc(backup);
  }
}
