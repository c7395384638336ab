package org.qcowfs.image.partition;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import org.qcowfs.image.BlockDevice;

/**
 * Fuzz target: the bytes are a disk. MBR with logical partitions, GPT with sectors of both sizes
 * and its backup; each partition found is used as a disk.
 *
 * <p>Changed bytes hardly ever have the right checksum. So a GPT header in one of the usual places
 * gets the right ones, unless the word behind its own says 1.
 */
public final class PartitionTableFuzz {
  private static final int DISK_BYTES_MAX = 1 << 20;
  private static final long SIGNATURE = 0x5452415020494645L;

  private PartitionTableFuzz() {}

  /** One case. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    MemoryDisk disk = new MemoryDisk(Math.min(data.length, DISK_BYTES_MAX));
    disk.bytes.put(0, data, 0, disk.bytes.capacity());
    int size = disk.bytes.capacity();
    for (int header : new int[] {512, 4096, size / 512 * 512 - 512, size / 4096 * 4096 - 4096}) {
      mendChecksums(disk.bytes, header, header == 4096 || header % 4096 == 0 ? 4096 : 512);
    }
    PartitionTable table = PartitionTable.read(disk);
    assertThat(table.partitions()).hasSizeLessThan(1 << 14);
    assertThat(table.problems()).allSatisfy(text -> assertThat(text).doesNotContain("\n"));
    int previous = 0;
    for (Partition partition : table.partitions()) {
      assertThat(partition.number()).isGreaterThan(previous);
      previous = partition.number();
      use(new PartitionDevice(disk, partition));
    }
  }

  private static void use(BlockDevice partition) throws IOException {
    int length = (int) Math.min(partition.size(), 4096);
    assertThat(partition.size()).isPositive();
    partition.read(ByteBuffer.allocate(length), partition.size() - length);
    long[] end = {0};
    partition.extents(0, partition.size(), extent -> end[0] += extent.length());
    assertThat(end[0]).isEqualTo(partition.size());
  }

  private static void mendChecksums(ByteBuffer disk, int at, int sectorBytes) {
    if (at < 0
        || at > disk.capacity() - 512
        || disk.getLong(at) != SIGNATURE
        || disk.getInt(at + 20) == 1) {
      return;
    }
    long entriesOffset = disk.getLong(at + 72) * sectorBytes;
    long entriesBytes = (disk.getInt(at + 80) & 0xffff_ffffL) * (disk.getInt(at + 84) & 0xffff);
    if (entriesOffset >= 0 && entriesOffset <= disk.capacity() - entriesBytes) {
      disk.putInt(at + 88, crc(disk, (int) entriesOffset, (int) entriesBytes));
    }
    int headerBytes = disk.getInt(at + 12);
    if (headerBytes >= 92 && headerBytes <= Math.min(sectorBytes, disk.capacity() - at)) {
      disk.putInt(at + 16, 0);
      disk.putInt(at + 16, crc(disk, at, headerBytes));
    }
  }

  private static int crc(ByteBuffer disk, int offset, int bytes) {
    CRC32 crc = new CRC32();
    crc.update(disk.slice(offset, bytes));
    return (int) crc.getValue();
  }
}
