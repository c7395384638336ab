package org.qcowfs.image.partition;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * The partition entries that a GPT header describes (UEFI specification, "GPT Partition Entry
 * Array").
 */
final class GptEntries {
  /** Partitioning tools make 16 KiB; a header may ask for 2^64 bytes. */
  static final long MAX_BYTES = 1 << 20;

  private static final int MIN_ENTRY_BYTES = 128;
  private static final int NAME_OFFSET = 56;
  private static final int NAME_BYTES = 72;

  private final ByteBuffer bytes;
  private final int entryBytes;

  private GptEntries(ByteBuffer bytes, int entryBytes) {
    this.bytes = bytes;
    this.entryBytes = entryBytes;
  }

  /**
   * The entries; empty when their size breaks a limit, they lie outside the disk, or the checksum
   * is wrong.
   */
  static Optional<GptEntries> read(TableReader reader, GptHeader header) throws IOException {
    if (header.entryBytes() < MIN_ENTRY_BYTES
        || Long.bitCount(header.entryBytes()) != 1
        || header.entryBytes() > MAX_BYTES
        || header.entryCount() > MAX_BYTES / header.entryBytes()
        || header.entriesSector() < 1
        || header.entriesSector() > reader.size() / header.sectorBytes()) {
      return Optional.empty();
    }
    int length = (int) (header.entryCount() * header.entryBytes());
    return reader
        .read(header.entriesSector() * header.sectorBytes(), length)
        .filter(bytes -> crc(bytes) == header.entriesCrc())
        .map(bytes -> new GptEntries(bytes, (int) header.entryBytes()));
  }

  /** Adds every used entry. */
  void addTo(PartitionList found) {
    for (int offset = 0; offset < bytes.limit(); offset += entryBytes) {
      ByteBuffer entry = bytes.slice(offset, entryBytes).order(ByteOrder.LITTLE_ENDIAN);
      if (entry.getLong(0) != 0 || entry.getLong(8) != 0) {
        found.add(
            offset / entryBytes + 1,
            entry.getLong(32),
            entry.getLong(40),
            typeGuid(entry),
            name(entry));
      }
    }
  }

  /**
   * The first three groups of a GUID are stored little-endian, the last two as they are written.
   */
  private static String typeGuid(ByteBuffer entry) {
    long tail = entry.slice(8, 8).order(ByteOrder.BIG_ENDIAN).getLong(0);
    return "%08X-%04X-%04X-%04X-%012X"
        .formatted(
            entry.getInt(0),
            entry.getShort(4),
            entry.getShort(6),
            tail >>> 48,
            tail & 0xFFFF_FFFF_FFFFL);
  }

  private static String name(ByteBuffer entry) {
    byte[] units = new byte[NAME_BYTES];
    entry.get(NAME_OFFSET, units);
    String padded = new String(units, StandardCharsets.UTF_16LE);
    int end = padded.indexOf('\0');
    return end < 0 ? padded : padded.substring(0, end);
  }

  private static int crc(ByteBuffer bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes.duplicate());
    return (int) crc.getValue();
  }
}
