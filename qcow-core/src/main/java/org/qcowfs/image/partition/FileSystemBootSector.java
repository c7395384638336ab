package org.qcowfs.image.partition;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Tells the boot sector of a filesystem, which ends in 0x55 0xAA as well, from an MBR. */
final class FileSystemBootSector {
  private static final int JUMP_SHORT = 0xEB;
  private static final int JUMP_NEAR = 0xE9;
  private static final int OEM_NAME_OFFSET = 3;
  private static final int OEM_NAME_BYTES = 8;
  private static final int BYTES_PER_SECTOR_OFFSET = 11;
  private static final int SECTORS_PER_CLUSTER_OFFSET = 13;
  private static final int RESERVED_SECTORS_OFFSET = 14;
  private static final int FAT_COUNT_OFFSET = 16;
  private static final int MEDIA_OFFSET = 21;

  private FileSystemBootSector() {}

  /** Whether a FAT, exFAT or NTFS filesystem seems to start in the sector. */
  static boolean isLikely(ByteBuffer sector) {
    int jump = unsigned(sector, 0);
    if (jump != JUMP_SHORT && jump != JUMP_NEAR) {
      return false;
    }
    String oemName = oemName(sector);
    return oemName.equals("NTFS    ") || oemName.equals("EXFAT   ") || isFat(sector);
  }

  private static String oemName(ByteBuffer sector) {
    byte[] name = new byte[OEM_NAME_BYTES];
    sector.get(OEM_NAME_OFFSET, name);
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  private static boolean isFat(ByteBuffer sector) {
    int sectorBytes = Short.toUnsignedInt(sector.getShort(BYTES_PER_SECTOR_OFFSET));
    int fatCount = unsigned(sector, FAT_COUNT_OFFSET);
    int media = unsigned(sector, MEDIA_OFFSET);
    return sectorBytes >= 512
        && sectorBytes <= 4096
        && Integer.bitCount(sectorBytes) == 1
        && Integer.bitCount(unsigned(sector, SECTORS_PER_CLUSTER_OFFSET)) == 1
        && sector.getShort(RESERVED_SECTORS_OFFSET) != 0
        && (fatCount == 1 || fatCount == 2)
        && (media == 0xF0 || media >= 0xF8);
  }

  private static int unsigned(ByteBuffer sector, int offset) {
    return Byte.toUnsignedInt(sector.get(offset));
  }
}
