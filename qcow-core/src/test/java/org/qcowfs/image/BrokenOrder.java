package org.qcowfs.image;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.qcowfs.testkit.crash.Event;
import org.qcowfs.testkit.crash.HostFiles;
import org.qcowfs.testkit.storage.StorageOperation;
import org.qcowfs.testkit.storage.StorageOperation.Kind;

/**
 * Turns the record of a run into that of an engine which breaks a rule: canaries for the
 * simulation, which must find each of them.
 */
final class BrokenOrder {
  private static final int REFCOUNT_TABLE_OFFSET = 48;

  private BrokenOrder() {}

  /** A flush is acknowledged before anything is flushed. */
  static List<Event> acknowledgedBeforeFlush(HostFiles before, List<Event> events) {
    List<Event> broken = new ArrayList<>();
    for (Event event : events) {
      if (event instanceof Event.FlushBegins begin) {
        broken.add(event);
        broken.add(endOf(begin, events));
      } else if (!(event instanceof Event.FlushEnds)) {
        broken.add(event);
      }
    }
    return broken;
  }

  private static Event endOf(Event.FlushBegins begin, List<Event> events) {
    return events.stream()
        .filter(e -> e instanceof Event.FlushEnds end && end.request() == begin.request())
        .findFirst()
        .orElseThrow();
  }

  /** Refcounts are written after the flush that should have made them durable. */
  static List<Event> refcountsAfterPointers(HostFiles before, List<Event> events) {
    long table = before.image().word(REFCOUNT_TABLE_OFFSET);
    long block = before.image().word(table);
    List<Event> broken = new ArrayList<>();
    List<Event> late = new ArrayList<>();
    for (Event event : events) {
      StorageOperation operation = operationOf(event);
      if (operation != null && operation.kind() == Kind.WRITE && operation.hostOffset() == block) {
        late.add(event);
      } else {
        broken.add(event);
        if (operation != null && operation.kind() == Kind.FLUSH_DONE) {
          broken.addAll(late);
          late.clear();
        }
      }
    }
    broken.addAll(late);
    return broken;
  }

  /** What is written to a cluster that was freed is written before it was durably freed. */
  static List<Event> freedClustersReusedEarly(HostFiles before, List<Event> events) {
    List<Event> broken = new ArrayList<>(events);
    for (int i = 0; i < broken.size(); i++) {
      StorageOperation punch = operationOf(broken.get(i));
      if (punch == null || punch.kind() != Kind.PUNCH_HOLE) {
        continue;
      }
      int flush = lastBefore(broken, i, Kind.FLUSH);
      for (int j = i + 1; flush >= 0 && j < broken.size(); j++) {
        StorageOperation write = operationOf(broken.get(j));
        if (write != null && write.kind() == Kind.WRITE && isWithin(write, punch)) {
          broken.add(flush, broken.remove(j));
        }
      }
    }
    return broken;
  }

  private static int lastBefore(List<Event> events, int index, Kind kind) {
    int last = index - 1;
    while (last >= 0) {
      StorageOperation operation = operationOf(events.get(last));
      if (operation != null && operation.kind() == kind) {
        return last;
      }
      last--;
    }
    return last;
  }

  private static boolean isWithin(StorageOperation inner, StorageOperation outer) {
    return inner.hostOffset() >= outer.hostOffset()
        && inner.hostOffset() + inner.length() <= outer.hostOffset() + outer.length();
  }

  private static @Nullable StorageOperation operationOf(Event event) {
    return event instanceof Event.Host host && host.file() == 0 ? host.operation() : null;
  }
}
