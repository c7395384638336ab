package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.TreeMap;
import org.qcowfs.storage.BlockStorage;

/**
 * Words of tables to be changed. They are written a whole sector at a time, so that a crash leaves
 * all of those in a sector as they were or as they shall be (R6).
 *
 * <p>Thread rules: used by one thread.
 */
final class WordEdits {
  private static final int SECTOR_BYTES = 512;

  private final BlockStorage storage;
  private final TreeMap<Long, Long> words = new TreeMap<>();

  WordEdits(BlockStorage storage) {
    this.storage = storage;
  }

  /** Notes a word; of two for the same place, the last one counts. */
  void put(long hostOffset, long word) {
    words.put(hostOffset, word);
  }

  int count() {
    return words.size();
  }

  /** Whether a word of another sector is waiting. */
  boolean holdsOtherSectorThan(long hostOffset) {
    return !words.isEmpty() && sectorOf(words.firstKey()) != sectorOf(hostOffset);
  }

  private static long sectorOf(long hostOffset) {
    return hostOffset & -SECTOR_BYTES;
  }

  /** Hands every change to the operating system. */
  void write() throws IOException {
    while (!words.isEmpty()) {
      long start = sectorOf(words.firstKey());
      Map<Long, Long> inSector = words.headMap(start + SECTOR_BYTES);
      int length = (int) Math.min(SECTOR_BYTES, storage.size() - start);
      ByteBuffer bytes = ByteBuffer.allocateDirect(length).order(ByteOrder.BIG_ENDIAN);
      storage.readFully(bytes, start);
      inSector.forEach((hostOffset, word) -> bytes.putLong((int) (hostOffset - start), word));
      storage.write(bytes.clear(), start);
      inSector.clear();
    }
  }
}
