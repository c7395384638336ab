package org.qcowfs.mapping;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a guest may find in each sector of its disk after a crash: what was there at the last flush
 * that returned, or anything written since. Each write has a stamp of its own, which fills the
 * sectors it writes, so bytes of another range are told apart from old ones.
 */
final class GuestModel {
  static final int SECTOR_BYTES = 512;
  static final long ZERO = 0;

  private final List<Set<Long>> allowed = new ArrayList<>();
  private final long[] current;
  private long lastStamp;

  GuestModel(int sectors) {
    current = new long[sectors];
    for (int sector = 0; sector < sectors; sector++) {
      allowed.add(new HashSet<>(Set.of(ZERO)));
    }
  }

  /** The sector holds this before the first write, durably. */
  void initially(int sector, long stamp) {
    current[sector] = stamp;
    allowed.set(sector, new HashSet<>(Set.of(stamp)));
    lastStamp = Math.max(lastStamp, stamp);
  }

  /** The bytes of a write to these sectors; from now on they may be found there. */
  ByteBuffer write(int first, int count) {
    ByteBuffer bytes = ByteBuffer.allocate(count * SECTOR_BYTES);
    for (int i = 0; i < count; i++) {
      long stamp = ++lastStamp;
      change(first + i, stamp);
      fill(bytes.slice(i * SECTOR_BYTES, SECTOR_BYTES), stamp);
    }
    return bytes;
  }

  /** These sectors are being made to read as zeros. */
  void zero(int first, int count) {
    for (int i = 0; i < count; i++) {
      change(first + i, ZERO);
    }
  }

  private void change(int sector, long stamp) {
    current[sector] = stamp;
    allowed.get(sector).add(stamp);
  }

  /** A flush returned. */
  void flushed() {
    for (int sector = 0; sector < current.length; sector++) {
      allowed.set(sector, new HashSet<>(Set.of(current[sector])));
    }
  }

  /** What the sector must hold as long as nothing crashes. */
  long current(int sector) {
    return current[sector];
  }

  /** Why the sector's bytes may not be found after a crash, or null. */
  String complaint(int sector, ByteBuffer bytes) {
    Set<Long> stamps = new HashSet<>();
    ByteBuffer in = bytes.duplicate().order(ByteOrder.BIG_ENDIAN);
    while (in.remaining() >= Long.BYTES) {
      stamps.add(in.getLong());
    }
    if (stamps.size() != 1) {
      return "sector %d holds a mixture of %s".formatted(sector, stamps);
    }
    long found = stamps.iterator().next();
    return allowed.get(sector).contains(found)
        ? null
        : "sector %d holds %d, allowed are %s".formatted(sector, found, allowed.get(sector));
  }

  static void fill(ByteBuffer sector, long stamp) {
    ByteBuffer out = sector.order(ByteOrder.BIG_ENDIAN);
    while (out.remaining() >= Long.BYTES) {
      out.putLong(stamp);
    }
  }
}
