package org.qcowfs.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;

/**
 * A persistent dirty bitmap, to be written.
 *
 * @param flags bit 0 in use, bit 1 auto
 * @param stored its first bits have a cluster, where one of them is set; else all its bits are
 *     clear
 */
public record BitmapSpec(String name, int granularityBits, int flags, boolean stored) {
  /** One whose bits are all clear. */
  public BitmapSpec(String name, int granularityBits, int flags) {
    this(name, granularityBits, flags, false);
  }

  long tableEntries(long virtualSize, int clusterBytes) {
    long granules = (virtualSize + (1L << granularityBits) - 1) >> granularityBits;
    long bytes = (granules + 7) / 8;
    return (bytes + clusterBytes - 1) / clusterBytes;
  }

  byte[] encode(long table, int tableEntries) {
    byte[] nameBytes = name.getBytes(UTF_8);
    ByteBuffer out = ByteBuffer.allocate((24 + nameBytes.length + 7) / 8 * 8);
    out.putLong(table).putInt(tableEntries).putInt(flags);
    out.put((byte) 1).put((byte) granularityBits).putShort((short) nameBytes.length).putInt(0);
    return out.put(nameBytes).array();
  }
}
