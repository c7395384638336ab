package org.qcowfs.it.crash;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.qcowfs.it.kit.DiskBytes;

/**
 * What a disk may hold after a crash: kept outside the daemon, a list for each sector of every
 * change that was begun, and which of them is the last one known to be safe. A sector may hold that
 * one, or any that was begun later.
 *
 * <p>A written sector is full of its own number and the number of the change, so that one that
 * shows up at the wrong place or from the wrong time is known.
 *
 * <p>Invariant: at most one change of a sector is under way, so changes of a sector have an order.
 *
 * <p>Thread rules: any number of threads.
 */
final class SectorLog {
  static final int SECTOR_BYTES = 512;

  private static final int PAGE_BYTES = 4096;
  private static final int READ_SECTORS = 2048;
  private static final int REPORTED = 5;

  /** Number of the change by which a disk got its first contents. */
  private static final long FIRST = 1;

  private final int start;
  private final int end;

  /** For each sector, the changes begun since the last safe one, which is the first of them. */
  private final long[][] changes;

  private final long[] safe;
  private final long[] ended;
  private final BitSet busy = new BitSet();
  private long last = FIRST;

  /**
   * A part of a disk that holds zeros and first contents.
   *
   * @param start first sector that is logged
   * @param end sector behind the last
   * @param filled which sectors hold first contents
   */
  SectorLog(int start, int end, BitSet filled) {
    this.start = start;
    this.end = end;
    this.changes = new long[end][];
    this.safe = new long[end];
    this.ended = new long[end];
    for (int sector = start; sector < end; sector++) {
      keepOnly(sector, value(filled.get(sector) ? FIRST : 0, !filled.get(sector)));
    }
  }

  /** A change of sectors that follow each other, with its number. */
  record Change(int firstSector, int count, long number, boolean zeros) {
    long offset() {
      return (long) firstSector * SECTOR_BYTES;
    }

    long bytes() {
      return (long) count * SECTOR_BYTES;
    }

    /**
     * What to write, in direct memory that begins with a page: the kernel would cut a long write
     * that goes past its cache within a sector otherwise, and a crash may come between the parts.
     */
    ByteBuffer contents() {
      ByteBuffer bytes =
          ByteBuffer.allocateDirect(count * SECTOR_BYTES + 2 * PAGE_BYTES)
              .alignedSlice(PAGE_BYTES)
              .limit(count * SECTOR_BYTES);
      for (int i = 0; i < count; i++) {
        stamp(bytes, firstSector + i, number);
      }
      return bytes.flip();
    }
  }

  /** First contents of a sector. */
  static void stampFirst(ByteBuffer bytes, int sector) {
    stamp(bytes, sector, FIRST);
  }

  private static void stamp(ByteBuffer bytes, int sector, long number) {
    for (int i = 0; i < SECTOR_BYTES / 16; i++) {
      bytes.putLong(sector).putLong(number);
    }
  }

  /** A change, and whether by zeros, in one number that grows from change to change. */
  private static long value(long number, boolean zeros) {
    return number << 1 | (zeros ? 1 : 0);
  }

  /** Notes that a change begins; empty if another one of some of these sectors is under way. */
  synchronized Optional<Change> begin(int firstSector, int count, boolean zeros) {
    int taken = busy.nextSetBit(firstSector);
    if (taken >= 0 && taken < firstSector + count) {
      return Optional.empty();
    }
    Change change = new Change(firstSector, count, ++last, zeros);
    busy.set(firstSector, firstSector + count);
    for (int sector = firstSector; sector < firstSector + count; sector++) {
      long[] more = Arrays.copyOf(changes[sector], changes[sector].length + 1);
      more[more.length - 1] = value(change.number, zeros);
      changes[sector] = more;
    }
    return Optional.of(change);
  }

  /** Notes that a change was acknowledged. */
  synchronized void acknowledged(Change change, boolean isSafe) {
    busy.clear(change.firstSector, change.firstSector + change.count);
    long value = value(change.number, change.zeros);
    for (int sector = change.firstSector; sector < change.firstSector + change.count; sector++) {
      ended[sector] = value;
      if (isSafe) {
        safe[sector] = value;
      }
    }
  }

  /** What a flush that begins now must keep: every change acknowledged so far. */
  synchronized long[] beginFlush() {
    return ended.clone();
  }

  /** Notes that the flush was acknowledged. */
  synchronized void flushed(long[] kept) {
    for (int sector = start; sector < end; sector++) {
      safe[sector] = Math.max(safe[sector], kept[sector]);
    }
  }

  /** Asserts that each sector of a raw disk holds what it may; from then on it is what is safe. */
  synchronized void verify(Path disk) {
    List<String> wrong = new ArrayList<>();
    try (FileChannel file = FileChannel.open(disk)) {
      for (int sector = start; sector < end; sector += READ_SECTORS) {
        int count = Math.min(READ_SECTORS, end - sector);
        ByteBuffer bytes = ByteBuffer.allocate(count * SECTOR_BYTES);
        DiskBytes.fill(file, bytes, (long) sector * SECTOR_BYTES);
        for (int i = 0; i < count; i++) {
          verify(sector + i, bytes.slice(i * SECTOR_BYTES, SECTOR_BYTES), wrong);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (!wrong.isEmpty()) {
      throw new AssertionError(
          "%s: %d sectors hold what they must not, such as%n%s"
              .formatted(
                  disk,
                  wrong.size(),
                  wrong.stream().limit(REPORTED).collect(Collectors.joining("\n"))));
    }
    busy.clear();
  }

  private void verify(int sector, ByteBuffer bytes, List<String> wrong) {
    long found = bytes.getLong(0) == 0 ? value(0, true) : value(bytes.getLong(8), false);
    ByteBuffer expected = ByteBuffer.allocate(SECTOR_BYTES);
    if ((found & 1) == 0) {
      stamp(expected, sector, found >> 1);
    }
    long[] allowed =
        Arrays.stream(changes[sector]).filter(change -> change >= safe[sector]).toArray();
    long match = Arrays.stream(allowed).filter(change -> looksLike(change, found)).max().orElse(-1);
    if (match < 0 || expected.clear().mismatch(bytes) >= 0) {
      wrong.add(describe(sector, bytes, allowed));
    } else {
      keepOnly(sector, match);
    }
  }

  /** Zeros of one change look like those of another. */
  private static boolean looksLike(long change, long found) {
    return (change & 1) == 1 ? (found & 1) == 1 : change == found;
  }

  private void keepOnly(int sector, long value) {
    changes[sector] = new long[] {value};
    safe[sector] = value;
    ended[sector] = value;
  }

  private static String describe(int sector, ByteBuffer bytes, long[] allowed) {
    return "sector %d: holds sector %d of change %d (last words %d, %d), may hold %s"
        .formatted(
            sector,
            bytes.getLong(0),
            bytes.getLong(8),
            bytes.getLong(SECTOR_BYTES - 16),
            bytes.getLong(SECTOR_BYTES - 8),
            Arrays.stream(allowed)
                .mapToObj(change -> (change >> 1) + ((change & 1) == 1 ? " (zeros)" : ""))
                .toList());
  }
}
