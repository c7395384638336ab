package org.qcowfs.image.partition;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * A GPT header whose checksum is right (UEFI specification, "GPT Header").
 *
 * @param sectorBytes the sector size that its block addresses count in
 * @param backupSector where it says that the other header lies
 * @param entriesSector where its entries start
 * @param entryCount how many entries there are, used or not; unsigned
 * @param entryBytes size of each
 * @param entriesCrc checksum over all of them
 */
record GptHeader(
    int sectorBytes,
    long backupSector,
    long entriesSector,
    long entryCount,
    long entryBytes,
    int entriesCrc) {
  private static final long SIGNATURE = 0x5452415020494645L; // "EFI PART", little-endian
  private static final int MIN_BYTES = 92;
  private static final int CRC_OFFSET = 16;

  /** The header in that sector; empty when there is none or it is broken. */
  static Optional<GptHeader> read(TableReader reader, int sectorBytes, long sector)
      throws IOException {
    if (sector < 1 || sector > reader.size() / sectorBytes) {
      return Optional.empty();
    }
    return reader
        .read(sector * sectorBytes, sectorBytes)
        .filter(bytes -> isWhole(bytes, sector))
        .map(bytes -> decode(bytes, sectorBytes));
  }

  private static boolean isWhole(ByteBuffer bytes, long sector) {
    long headerBytes = Integer.toUnsignedLong(bytes.getInt(12));
    return bytes.getLong(0) == SIGNATURE
        && headerBytes >= MIN_BYTES
        && headerBytes <= bytes.capacity()
        && bytes.getLong(24) == sector
        && crcWithoutItself(bytes, (int) headerBytes) == bytes.getInt(CRC_OFFSET);
  }

  private static GptHeader decode(ByteBuffer bytes, int sectorBytes) {
    return new GptHeader(
        sectorBytes,
        bytes.getLong(32),
        bytes.getLong(72),
        Integer.toUnsignedLong(bytes.getInt(80)),
        Integer.toUnsignedLong(bytes.getInt(84)),
        bytes.getInt(88));
  }

  /** The checksum counts its own field as zeros. */
  private static int crcWithoutItself(ByteBuffer bytes, int headerBytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes.slice(0, CRC_OFFSET));
    crc.update(new byte[Integer.BYTES]);
    int rest = CRC_OFFSET + Integer.BYTES;
    crc.update(bytes.slice(rest, headerBytes - rest));
    return (int) crc.getValue();
  }
}
