package org.qcowfs.it.write;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.qcowfs.it.kit.DiskBytes;

/**
 * Writes that overlap each other, and can be told apart afterwards: each sector says which write it
 * is from. Thread-safe.
 */
final class Stamps {
  static final int SECTOR_BYTES = 512;

  private static final long MAGIC = 0x7173_7461_6d70_6564L;

  private final Map<Long, Write> writes = new ConcurrentHashMap<>();
  private final AtomicLong clock = new AtomicLong();
  private final AtomicLong lastNumber = new AtomicLong();

  /** One write, and when it began and ended, by a clock that counts beginnings and ends. */
  private record Write(long number, long firstSector, int sectors, long begin, long end) {
    boolean covers(long sector) {
      return firstSector <= sector && sector < firstSector + sectors;
    }
  }

  /** What carries a write out; returns when it is acknowledged. */
  @FunctionalInterface
  interface Writer {
    void write(ByteBuffer bytes, long offset);
  }

  /**
   * Makes a write of whole sectors.
   *
   * @param buffer as the writer needs it, and large enough
   */
  void write(Writer writer, ByteBuffer buffer, long firstSector, int sectors) {
    long number = lastNumber.incrementAndGet();
    buffer.clear();
    for (int i = 0; i < sectors; i++) {
      stamp(buffer, number, firstSector + i);
    }
    long begin = clock.incrementAndGet();
    writer.write(buffer.flip(), firstSector * SECTOR_BYTES);
    writes.put(number, new Write(number, firstSector, sectors, begin, clock.incrementAndGet()));
  }

  private static void stamp(ByteBuffer buffer, long number, long sector) {
    buffer.putLong(MAGIC).putLong(number).putLong(sector);
    long noise = number * 0x9e37_79b9_7f4a_7c15L + sector;
    for (int i = 3; i < SECTOR_BYTES / Long.BYTES; i++) {
      noise = noise * 6_364_136_223_846_793_005L + i;
      buffer.putLong(noise);
    }
  }

  /**
   * Asserts that each sector is whole and from a write that no other one followed; or, where nobody
   * wrote, what it was before.
   */
  void assertHeldBy(Path disk, Path before) {
    long sectors = before.toFile().length() / SECTOR_BYTES;
    long[] lastBegin = new long[Math.toIntExact(sectors)];
    for (Write write : writes()) {
      for (int i = 0; i < write.sectors(); i++) {
        int sector = (int) write.firstSector() + i;
        lastBegin[sector] = Math.max(lastBegin[sector], write.begin());
      }
    }
    ByteBuffer now = ByteBuffer.wrap(DiskBytes.read(disk, 0, (int) sectors * SECTOR_BYTES));
    ByteBuffer old = ByteBuffer.wrap(DiskBytes.read(before, 0, (int) sectors * SECTOR_BYTES));
    for (int sector = 0; sector < sectors; sector++) {
      ByteBuffer bytes = now.slice(sector * SECTOR_BYTES, SECTOR_BYTES);
      if (lastBegin[sector] == 0) {
        assertThat(bytes.mismatch(old.slice(sector * SECTOR_BYTES, SECTOR_BYTES)))
            .as("first changed byte of sector %d, where nobody wrote", sector)
            .isNegative();
      } else {
        assertStamped(bytes, sector, lastBegin[sector]);
      }
    }
  }

  private void assertStamped(ByteBuffer bytes, long sector, long lastBegin) {
    assertThat(bytes.getLong(0)).as("magic number of sector %d", sector).isEqualTo(MAGIC);
    Write shown = writes.get(bytes.getLong(8));
    assertThat(shown).as("write that sector %d is from", sector).isNotNull();
    assertThat(shown.covers(sector)).as("sector %d was written by %s", sector, shown).isTrue();
    ByteBuffer whole = ByteBuffer.allocate(SECTOR_BYTES);
    stamp(whole, shown.number(), sector);
    assertThat(bytes.mismatch(whole.flip())).as("torn at, sector %d", sector).isNegative();
    assertThat(shown.end())
        .as("sector %d is from %s, but a write that began later was lost", sector, shown)
        .isGreaterThan(lastBegin);
  }

  private Collection<Write> writes() {
    return writes.values();
  }

  /** How many writes there were. */
  int count() {
    return writes.size();
  }
}
