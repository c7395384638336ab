package org.qcowfs.testkit.crash;

import java.util.ArrayList;
import java.util.List;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.storage.FlushPause;
import org.qcowfs.testkit.storage.MemoryStorage;
import org.qcowfs.testkit.storage.RecordingStorage;
import org.qcowfs.testkit.storage.ScheduledStorage;
import org.qcowfs.testkit.storage.StorageOperation.Kind;

/**
 * All that happened in a run, to host files and guest alike, in one order.
 *
 * <p>Thread rules: any number of threads add events.
 */
public final class RunRecord {
  private final List<Event> events = new ArrayList<>();

  /** Adds what the guest does. */
  public synchronized void add(Event event) {
    events.add(event);
  }

  /** What was recorded so far. */
  public synchronized List<Event> events() {
    return List.copyOf(events);
  }

  /** How many changes and flushes host files were asked for. */
  public synchronized long hostOperations() {
    return events.stream().filter(event -> event instanceof Event.Host).count();
  }

  /**
   * A host file whose changes are recorded, and whose every operation is a point where the schedule
   * may let another thread go first; in a flush there is one more, between its beginning and its
   * end.
   *
   * @param file the number that it has in events
   */
  public BlockStorage file(int file, MemoryStorage content) {
    RecordingStorage recording =
        new RecordingStorage(
            new FlushPause(content, Schedule::pause),
            operation -> {
              if (operation.kind() != Kind.READ) {
                add(new Event.Host(file, operation));
              }
            });
    return new ScheduledStorage(recording, Schedule::pause);
  }
}
