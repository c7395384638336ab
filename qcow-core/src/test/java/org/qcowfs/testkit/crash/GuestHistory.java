package org.qcowfs.testkit.crash;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a guest may find in each sector after a crash of one kind: any value that was begun to be
 * written, but for those that a change which must survive came after. The size of the disk is kept
 * in the same way.
 *
 * <p>A change comes after another one if it began when the other had been acknowledged; changes
 * that were under way together may have happened in either order. One that failed may have been
 * made in part: it survives nothing, and nothing is gone because of it.
 */
public final class GuestHistory {
  /** A stamp holds the sector that it was written to in its upper half. */
  private static final int SECTOR_SHIFT = 32;

  private static final long NOT_YET = Long.MAX_VALUE;

  private final Crash crash;
  private final List<List<Candidate>> sectors = new ArrayList<>();
  private final List<Candidate> sizes = new ArrayList<>();
  private final Map<Integer, Change> underWay = new HashMap<>();
  private final Map<Integer, Long> flushes = new HashMap<>();
  private final Set<Change> acknowledged = new HashSet<>();
  private long now;

  private static final class Change {
    private final List<List<Candidate>> touched = new ArrayList<>();
    private final long begin;
    private long end = NOT_YET;

    Change(long begin) {
      this.begin = begin;
    }
  }

  private record Candidate(long value, Change change) {}

  /**
   * @param initial the stamps before the first change, all of which survive; 0 for zeros
   */
  public GuestHistory(Crash crash, long[] initial) {
    this.crash = crash;
    Change before = new Change(-1);
    before.end = -1;
    for (long stamp : initial) {
      sectors.add(new ArrayList<>(List.of(new Candidate(stamp, before))));
    }
    sizes.add(new Candidate(initial.length, before));
  }

  /** The stamp of a sector in the n-th change that stamps it. */
  public static long stamp(int sector, long n) {
    return (sector + 1L) << SECTOR_SHIFT | n;
  }

  /** Takes an event over. */
  public void add(Event event) {
    now++;
    if (event instanceof Event.ChangeBegins change) {
      begin(change);
    } else if (event instanceof Event.ResizeBegins resize) {
      begin(resize);
    } else if (event instanceof Event.ChangeEnds end) {
      end(end);
    } else if (event instanceof Event.ChangeFails failure) {
      underWay.remove(failure.request()).end = now;
    } else if (event instanceof Event.FlushBegins flush) {
      flushes.put(flush.request(), now);
    } else if (event instanceof Event.FlushEnds flush) {
      flushed(flush);
    }
  }

  private void begin(Event.ChangeBegins event) {
    Change change = new Change(now);
    for (int i = 0; i < event.sectors(); i++) {
      int sector = event.firstSector() + i;
      long stamp = event.number() == 0 ? 0 : stamp(sector, event.number());
      addCandidate(change, sectors.get(sector), stamp);
    }
    underWay.put(event.request(), change);
  }

  private void begin(Event.ResizeBegins event) {
    Change change = new Change(now);
    addCandidate(change, sizes, event.sectors());
    for (int sector = event.sectors(); sector < sectors.size(); sector++) {
      addCandidate(change, sectors.get(sector), 0);
    }
    underWay.put(event.request(), change);
  }

  private static void addCandidate(Change change, List<Candidate> candidates, long value) {
    candidates.add(new Candidate(value, change));
    change.touched.add(candidates);
  }

  private void end(Event.ChangeEnds event) {
    Change change = underWay.remove(event.request());
    change.end = now;
    if (event.promise().covers(crash)) {
      survives(change);
    } else {
      acknowledged.add(change);
    }
  }

  private void flushed(Event.FlushEnds event) {
    long begin = flushes.remove(event.request());
    if (event.promise().covers(crash)) {
      List<Change> covered = acknowledged.stream().filter(c -> c.end < begin).toList();
      covered.forEach(this::survives);
      covered.forEach(acknowledged::remove);
    }
  }

  private void survives(Change change) {
    for (List<Candidate> candidates : change.touched) {
      candidates.removeIf(candidate -> candidate.change.end < change.begin);
    }
  }

  /** Whether the disk may have this many sectors. */
  public boolean allowsSize(long sectorCount) {
    return sizes.stream().anyMatch(candidate -> candidate.value == sectorCount);
  }

  /** Whether the sector may hold the stamp. */
  public boolean allows(int sector, long stamp) {
    for (Candidate candidate : sectors.get(sector)) {
      if (candidate.value == stamp) {
        return true;
      }
    }
    return false;
  }

  /** What is wrong with a sector that holds a stamp which it may not hold. */
  public Complaint complaint(int sector, long stamp) {
    List<String> allowed =
        sectors.get(sector).stream().map(c -> Long.toHexString(c.value)).distinct().toList();
    boolean own = stamp == 0 || stamp >>> SECTOR_SHIFT == sector + 1L;
    return new Complaint(
        own ? Complaint.Kind.LOST : Complaint.Kind.FOREIGN,
        "sector %d holds %x, allowed are %s".formatted(sector, stamp, allowed));
  }
}
