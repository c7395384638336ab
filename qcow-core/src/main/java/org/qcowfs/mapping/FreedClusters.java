package org.qcowfs.mapping;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;

/**
 * Ranges of the host file that the active disk no longer points to. They go through three states:
 * the pointer is gone in memory; the pointer is gone in the file as it is written; the pointer is
 * durably gone, so that the reference may be dropped (rule R2).
 *
 * <p>Thread rules: guarded by the metadata lock of the image.
 */
final class FreedClusters {
  /**
   * A range of the host file.
   *
   * @param kind what is known of other references to it
   */
  record Range(long hostOffset, long bytes, Kind kind) {
    boolean isContinuedBy(long offset, Kind nextKind) {
      return kind == nextKind && kind != Kind.COMPRESSED && hostOffset + bytes == offset;
    }
  }

  /** What the entry that pointed to a range said of it. */
  enum Kind {
    /** COPIED: it was the only one. */
    OWN,
    /** Not COPIED: there are others. */
    SHARED,
    /**
     * Compressed: nothing. The range may begin and end within a cluster, and takes one reference of
     * each cluster that it touches.
     */
    COMPRESSED
  }

  private record Batch(List<Range> ranges, long ticket) {}

  private List<Range> inMemory = new ArrayList<>();
  private final Deque<Batch> written = new ArrayDeque<>();

  /** The pointer to the clusters is gone in memory. */
  void addLocked(long hostOffset, long bytes) {
    addLocked(hostOffset, bytes, Kind.OWN);
  }

  /** As {@link #addLocked(long, long)}, of a pointer that was not the only one, or may not be. */
  void addLocked(long hostOffset, long bytes, Kind kind) {
    int last = inMemory.size() - 1;
    if (last >= 0 && inMemory.get(last).isContinuedBy(hostOffset, kind)) {
      Range range = inMemory.get(last);
      inMemory.set(last, new Range(range.hostOffset(), range.bytes() + bytes, kind));
    } else {
      inMemory.add(new Range(hostOffset, bytes, kind));
    }
  }

  /** The ranges whose pointers are gone in memory only. */
  List<Range> unwrittenLocked() {
    return Collections.unmodifiableList(inMemory);
  }

  /** Takes what must be written before its references can be dropped. */
  List<Range> takeLocked() {
    List<Range> taken = inMemory;
    inMemory = new ArrayList<>();
    return taken;
  }

  /** What was taken could not be written after all. */
  void putBackLocked(List<Range> ranges) {
    inMemory.addAll(ranges);
  }

  /** The pointers are gone in the file, and durably so once the ticket is settled. */
  void writtenLocked(List<Range> ranges, long ticket) {
    if (!ranges.isEmpty()) {
      written.add(new Batch(ranges, ticket));
    }
  }

  /** Takes the ranges whose ticket is settled. */
  List<Range> takeSettledLocked(java.util.function.LongPredicate isSettled) {
    List<Range> settled = new ArrayList<>();
    while (!written.isEmpty() && isSettled.test(written.peekFirst().ticket())) {
      settled.addAll(written.removeFirst().ranges());
    }
    return settled;
  }

  /** What was taken as settled could not be dropped yet. */
  void putBackSettledLocked(List<Range> ranges) {
    written.addFirst(new Batch(ranges, 0));
  }

  boolean isEmptyLocked() {
    return inMemory.isEmpty() && written.isEmpty();
  }
}
