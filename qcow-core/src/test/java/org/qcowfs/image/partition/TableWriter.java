package org.qcowfs.image.partition;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/**
 * Writes partition tables byte by byte, from the specifications and not from the code under test.
 */
final class TableWriter {
  static final int LINUX = 0x83;
  static final int EXTENDED = 0x05;
  static final int PROTECTIVE = 0xEE;

  /** 0FC63DAF-8483-4772-8E79-3D69D8477DE4 as it is stored. */
  private static final byte[] LINUX_DATA_GUID = {
    (byte) 0xAF,
    0x3D,
    (byte) 0xC6,
    0x0F,
    (byte) 0x83,
    (byte) 0x84,
    0x72,
    0x47,
    (byte) 0x8E,
    0x79,
    0x3D,
    0x69,
    (byte) 0xD8,
    0x47,
    0x7D,
    (byte) 0xE4
  };

  private final ByteBuffer disk;

  TableWriter(MemoryDisk disk) {
    this.disk = disk.bytes;
  }

  TableWriter signature(int sector) {
    disk.put(sector * 512 + 510, (byte) 0x55).put(sector * 512 + 511, (byte) 0xAA);
    return this;
  }

  /** An entry of the MBR or boot record in that sector, which gets its signature too. */
  TableWriter entry(int sector, int index, int type, long start, long count) {
    int at = sector * 512 + 446 + 16 * index;
    disk.put(at + 4, (byte) type).putInt(at + 8, (int) start).putInt(at + 12, (int) count);
    return signature(sector);
  }

  TableWriter bootIndicator(int index, int value) {
    disk.put(446 + 16 * index, (byte) value);
    return this;
  }

  TableWriter fatBootSector() {
    disk.put(0, (byte) 0xEB).put(1, (byte) 0x3C).put(2, (byte) 0x90);
    disk.put(3, "mkfs.fat".getBytes(StandardCharsets.US_ASCII));
    disk.putShort(11, (short) 512).put(13, (byte) 4).putShort(14, (short) 1).put(16, (byte) 2);
    disk.put(21, (byte) 0xF8);
    return signature(0);
  }

  TableWriter ntfsBootSector() {
    disk.put(0, (byte) 0xEB).put(1, (byte) 0x52).put(2, (byte) 0x90);
    disk.put(3, "NTFS    ".getBytes(StandardCharsets.US_ASCII));
    return signature(0);
  }

  TableWriter gptEntry(long entriesOffset, int index, long first, long last, String name) {
    int at = (int) entriesOffset + 128 * index;
    disk.put(at, LINUX_DATA_GUID).put(at + 16, (byte) 1);
    disk.putLong(at + 32, first).putLong(at + 40, last);
    disk.put(at + 56, name.getBytes(StandardCharsets.UTF_16LE));
    return this;
  }

  /** A header with right checksums over itself and the entries as they now are. */
  TableWriter gptHeader(int sectorBytes, long sector, long backup, long entriesSector, int count) {
    int at = (int) (sector * sectorBytes);
    disk.put(at, "EFI PART".getBytes(StandardCharsets.US_ASCII));
    disk.putInt(at + 8, 0x10000).putInt(at + 12, 92);
    disk.putLong(at + 24, sector).putLong(at + 32, backup);
    disk.putLong(at + 72, entriesSector).putInt(at + 80, count).putInt(at + 84, 128);
    disk.putInt(at + 88, crc((int) entriesSector * sectorBytes, count * 128));
    return gptHeaderCrc(at);
  }

  TableWriter gptHeaderCrc(int headerOffset) {
    disk.putInt(headerOffset + 16, 0);
    disk.putInt(headerOffset + 16, crc(headerOffset, disk.getInt(headerOffset + 12)));
    return this;
  }

  private int crc(int offset, int length) {
    CRC32 crc = new CRC32();
    crc.update(disk.slice(offset, length));
    return (int) crc.getValue();
  }
}
