package org.qcowfs.alloc;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Clusters that are counted as used, read as zeros, and are not handed out yet, in the order in
 * which they were reserved.
 *
 * <p>Thread rules: guarded by the metadata lock of the image.
 */
final class Reserve {
  /**
   * Clusters that follow each other.
   *
   * @param ticket what must be durable before a pointer to them may be written
   */
  record Range(long firstCluster, long count, long ticket) {}

  private final Deque<Range> ranges = new ArrayDeque<>();

  boolean isEmpty() {
    return ranges.isEmpty();
  }

  long clusterCount() {
    return ranges.stream().mapToLong(Range::count).sum();
  }

  void add(Range range) {
    ranges.addLast(range);
  }

  /** Takes at least one cluster, and no more than are wanted. There must be one. */
  Range take(int wanted) {
    Range first = ranges.removeFirst();
    if (wanted >= first.count()) {
      return first;
    }
    ranges.addFirst(
        new Range(first.firstCluster() + wanted, first.count() - wanted, first.ticket()));
    return new Range(first.firstCluster(), wanted, first.ticket());
  }

  List<Range> takeAll() {
    List<Range> all = List.copyOf(ranges);
    ranges.clear();
    return all;
  }
}
