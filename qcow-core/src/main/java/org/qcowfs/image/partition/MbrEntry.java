package org.qcowfs.image.partition;

import java.nio.ByteBuffer;

/**
 * An entry of an MBR or of the boot record of a logical partition.
 *
 * @param bootIndicator 0x80 where the partition is active, else 0
 * @param type the partition type
 * @param startSector in sectors, from where the reader knows
 * @param sectorCount 0 in an unused entry
 */
record MbrEntry(int bootIndicator, int type, long startSector, long sectorCount) {
  static final int BYTES = 16;
  static final int TYPE_GPT_PROTECTIVE = 0xEE;

  static MbrEntry decode(ByteBuffer sector, int offset) {
    return new MbrEntry(
        Byte.toUnsignedInt(sector.get(offset)),
        Byte.toUnsignedInt(sector.get(offset + 4)),
        Integer.toUnsignedLong(sector.getInt(offset + 8)),
        Integer.toUnsignedLong(sector.getInt(offset + 12)));
  }

  boolean isUsed() {
    return sectorCount != 0;
  }

  /** Whether the partition only contains a chain of logical partitions. */
  boolean isExtended() {
    return type == 0x05 || type == 0x0F || type == 0x85;
  }

  /** First sector after the partition, counted as the start is. */
  long endSector() {
    return startSector + sectorCount;
  }

  String typeName() {
    return "0x%02x".formatted(type);
  }
}
