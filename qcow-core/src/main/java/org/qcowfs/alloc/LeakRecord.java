package org.qcowfs.alloc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.format.LeakRange;
import org.qcowfs.storage.BlockStorage;

/**
 * Notes in the image which part of the file a crash may leave leaks in, so that the next one who
 * writes can give them back without a full check. The note is durable before what it speaks of, and
 * grows in large steps, so it costs a flush now and then only. A clean close empties it.
 *
 * <p>It is a header extension of its own, put behind the others when it is first needed. Where the
 * header's cluster has no room for one, leaks stay until a check repairs them.
 *
 * <p>Thread rules: guarded by the metadata lock of the image.
 */
public final class LeakRecord {
  private static final int HEAD_BYTES = 8;
  private static final int NEEDED_BYTES = HEAD_BYTES + LeakRange.BYTES + HEAD_BYTES;
  private static final int NO_ROOM = -1;
  private static final int NOT_LOOKED = 0;

  /** The first note reaches this many units of 16 MiB further than it must. */
  private static final int FIRST_STEP = 64;

  private final BlockStorage storage;
  private final Header header;
  private final HeaderSector sector;
  private final DurabilityClock clock;
  private LeakRange noted = LeakRange.EMPTY;

  /** What of the note is durable, if anything waits for that. */
  private LeakRange durable = LeakRange.EMPTY;

  private int wordOffset = NOT_LOOKED;

  /** Where the backing file's name was before it was moved, and where that ended. */
  private int oldNameOffset;

  private int oldNameEnd;

  public LeakRecord(
      BlockStorage storage, Header header, HeaderSector sector, DurabilityClock clock) {
    this.storage = storage;
    this.header = header;
    this.sector = sector;
    this.clock = clock;
  }

  /** Returns when the note covers the range, and is durable if anything waits for that. */
  void coverLocked(long hostOffset, long bytes) throws IOException {
    if (bytes == 0 || wordOffset == NO_ROOM) {
      return;
    }
    LeakRange needed = LeakRange.of(hostOffset, bytes);
    if (durable.contains(needed)) {
      return;
    }
    if (wordOffset == NOT_LOOKED) {
      findOrInsertLocked();
    }
    if (wordOffset != NO_ROOM) {
      if (!noted.contains(needed)) {
        noteLocked(widened(needed));
      }
      settle();
      durable = noted;
    }
  }

  private LeakRange widened(LeakRange needed) {
    if (noted.isEmpty()) {
      return new LeakRange(needed.first(), Math.min(LeakRange.END_MAX, needed.end() + FIRST_STEP));
    }
    long span = noted.end() - noted.first();
    long first = noted.first();
    long end = noted.end();
    if (needed.first() < first) {
      first = Math.max(0, Math.min(needed.first(), first - span));
    }
    if (needed.end() > end) {
      end = Math.min(LeakRange.END_MAX, Math.max(needed.end(), end + span));
    }
    return new LeakRange(first, end);
  }

  private void noteLocked(LeakRange range) throws IOException {
    sector.setWordLocked(wordOffset, range.encode());
    noted = range;
  }

  /** Empties the note. */
  public void clearLocked() throws IOException {
    if (wordOffset > NOT_LOOKED && !noted.isEmpty()) {
      durable = LeakRange.EMPTY;
      noteLocked(LeakRange.EMPTY);
    }
  }

  /** Finds the note of an image, so that it can be emptied. */
  public void adoptLocked(HeaderExtensions.Extension extension) {
    wordOffset = (int) extension.hostOffset() + HEAD_BYTES;
    noted = LeakRange.decode(extension.data().getLong(0));
  }

  private void findOrInsertLocked() throws IOException {
    // An attempt that failed may have changed the header all the same.
    sector.makeCertainLocked();
    ByteBuffer cluster = ByteBuffer.allocate(header.clusterBytes()).order(ByteOrder.BIG_ENDIAN);
    storage.read(cluster, 0);
    Header now = Header.decode(cluster.flip().duplicate());
    HeaderExtensions extensions = HeaderExtensions.decode(now, cluster);
    if (extensions.leakRange().isPresent()) {
      adoptLocked(extensions.leakRange().get());
    } else if (extensions.hasMalformedLeakRange()) {
      wordOffset = NO_ROOM; // a second one would make the list unreadable
    } else {
      wordOffset = insertLocked(cluster, now, extensions.endOffset()) ? end(extensions) : NO_ROOM;
    }
  }

  private static int end(HeaderExtensions extensions) {
    return extensions.endOffset() + HEAD_BYTES;
  }

  /**
   * Puts the extension where the list ended. A crash leaves the list as it was or with the new
   * extension: what lies behind the end marker is not part of it.
   *
   * @return whether there was room
   */
  private boolean insertLocked(ByteBuffer cluster, Header now, int listEnd) throws IOException {
    int nameOffset = (int) now.backingNameOffset();
    int nameEnd = nameOffset + now.backingNameBytes();
    int behind = listEnd + NEEDED_BYTES;
    if (oldNameEnd == 0 && nameOffset != 0) {
      findOldName(cluster, listEnd + HEAD_BYTES, nameOffset, nameEnd);
    }
    if (listEnd + HEAD_BYTES > (nameOffset == 0 ? cluster.limit() : nameOffset)) {
      return false; // the list has no end marker
    }
    if (nameOffset != 0 && nameOffset < behind) {
      int moved = (Math.max(behind, nameEnd) + 7) & -8;
      int movedEnd = (moved + nameEnd - nameOffset + 7) & -8;
      if (!isFree(cluster, listEnd, nameOffset)
          || !isFreeFor(cluster, nameEnd, movedEnd, nameOffset - moved)) {
        return false;
      }
      moveNameLocked(cluster, nameOffset, nameEnd, moved);
    } else if (!isFree(cluster, listEnd, behind)) {
      return false;
    }
    sector.setWordLocked(listEnd + HEAD_BYTES, LeakRange.EMPTY.encode());
    sector.setWordLocked(listEnd + HEAD_BYTES + LeakRange.BYTES, 0);
    settle();
    sector.setWordLocked(
        listEnd, (long) HeaderExtensions.LEAK_RANGE << Integer.SIZE | LeakRange.BYTES);
    return true;
  }

  /** Where a crash cut an earlier attempt short, the name stands in its old place as well. */
  private void findOldName(ByteBuffer cluster, int from, int nameOffset, int nameEnd) {
    ByteBuffer name = cluster.slice(nameOffset, Math.min(nameEnd, cluster.limit()) - nameOffset);
    int bytes = name.limit();
    for (int at = from; at + bytes <= nameOffset; at++) {
      if (cluster.slice(at, bytes).equals(name)) {
        oldNameOffset = at;
        oldNameEnd = at + bytes;
        return;
      }
    }
  }

  private boolean isFree(ByteBuffer cluster, int from, int to) {
    for (int at = from; at < to; at++) {
      boolean oldName = at >= oldNameOffset && at < oldNameEnd;
      if (at >= cluster.limit() || (cluster.get(at) != 0 && !oldName)) {
        return false;
      }
    }
    return true;
  }

  /** As {@link #isFree}, or holding already what lies at a distance: an attempt that failed. */
  private boolean isFreeFor(ByteBuffer cluster, int from, int to, int distance) {
    for (int at = from; at < to; at++) {
      if (!isFree(cluster, at, at + 1)
          && (at >= cluster.limit() || cluster.get(at) != cluster.get(at + distance))) {
        return false;
      }
    }
    return true;
  }

  private void moveNameLocked(ByteBuffer cluster, int nameOffset, int nameEnd, int moved)
      throws IOException {
    ByteBuffer name = ByteBuffer.allocate((nameEnd - nameOffset + 7) & -8);
    name.put(cluster.slice(nameOffset, nameEnd - nameOffset)).clear();
    for (int at = 0; at < name.capacity(); at += Long.BYTES) {
      sector.setWordLocked(moved + at, name.getLong(at));
    }
    settle();
    sector.setBackingNameOffsetLocked(moved);
    oldNameOffset = nameOffset;
    oldNameEnd = nameEnd;
    settle();
  }

  private void settle() throws IOException {
    clock.settle(clock.ticket());
  }
}
