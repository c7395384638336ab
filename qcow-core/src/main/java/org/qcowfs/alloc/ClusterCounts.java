package org.qcowfs.alloc;

import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.qcowfs.error.UnsupportedFeatureException;

/**
 * How often something is said of each cluster of an image file. Takes little more than a byte for
 * each cluster that is near another one, and nothing for ranges of which nothing is said; so memory
 * is bounded by the tables that were read, and not by the offsets in them.
 *
 * <p>Thread rules: used by one thread.
 */
public final class ClusterCounts {
  private static final int PAGE_CLUSTERS = 512;
  private static final int PAGE_OVERHEAD_BYTES = 100;
  private static final int LARGE_BYTES = 100;

  /** In a page: the count is in the map of large ones. */
  private static final int LARGE = 255;

  private final NavigableMap<Long, byte[]> pages = new TreeMap<>();
  private final Map<Long, Long> large = new HashMap<>();
  private final long maxPages;
  private final long maxLarge;
  private long lastIndex = -1;
  private byte @Nullable [] lastPage;

  public ClusterCounts() {
    // The JVM is made small on purpose; the rest of the mount must fit too.
    this(Runtime.getRuntime().maxMemory() / 3);
  }

  /**
   * @param maxBytes how much memory the counts may take
   */
  ClusterCounts(long maxBytes) {
    this.maxPages = Math.max(1, maxBytes / (PAGE_CLUSTERS + PAGE_OVERHEAD_BYTES));
    this.maxLarge = Math.max(1, maxBytes / LARGE_BYTES);
  }

  /** Neighbours are asked for one after the other. */
  private byte @Nullable [] page(long index) {
    if (index != lastIndex) {
      lastPage = pages.get(index);
      lastIndex = index;
    }
    return lastPage;
  }

  /** The count of a cluster; 0 at first. */
  public long get(long cluster) {
    byte[] page = page(cluster / PAGE_CLUSTERS);
    int count = page == null ? 0 : page[(int) (cluster % PAGE_CLUSTERS)] & 0xff;
    return count == LARGE ? large.getOrDefault(cluster, 0L) : count;
  }

  /**
   * Counts a cluster so many times more, or fewer where the number is negative.
   *
   * @throws UnsupportedFeatureException when there is no memory for it
   */
  public void add(long cluster, long times) throws UnsupportedFeatureException {
    if (times == 0) {
      return;
    }
    byte[] page = page(cluster / PAGE_CLUSTERS);
    if (page == null) {
      page = newPage(cluster / PAGE_CLUSTERS);
    }
    long count = get(cluster) + times;
    page[(int) (cluster % PAGE_CLUSTERS)] = (byte) Math.min(count, LARGE);
    if (count >= LARGE) {
      large.put(cluster, count);
      checkMemory(large.size() < maxLarge);
    } else if (!large.isEmpty()) {
      large.remove(cluster);
    }
  }

  private byte[] newPage(long index) throws UnsupportedFeatureException {
    checkMemory(pages.size() < maxPages);
    byte[] page = new byte[PAGE_CLUSTERS];
    pages.put(index, page);
    lastIndex = index;
    lastPage = page;
    return page;
  }

  private static void checkMemory(boolean enough) throws UnsupportedFeatureException {
    if (!enough) {
      throw new UnsupportedFeatureException(
          "its clusters are too many to be counted in the memory of this process; allow more with"
              + " QCOWFS_JAVA_OPTS=-Xmx512m");
    }
  }

  /** The first cluster at or behind the given one whose count is not 0; -1 where there is none. */
  public long next(long from) {
    long index = from / PAGE_CLUSTERS;
    byte[] page = page(index);
    int used = page == null ? PAGE_CLUSTERS : nextUsed(page, (int) (from % PAGE_CLUSTERS));
    while (used == PAGE_CLUSTERS) {
      Map.Entry<Long, byte[]> entry = pages.higherEntry(index);
      if (entry == null) {
        return -1;
      }
      index = entry.getKey();
      used = nextUsed(entry.getValue(), 0);
    }
    return index * PAGE_CLUSTERS + used;
  }

  /** The next place in a page whose count is not 0, or the page's end. */
  private static int nextUsed(byte[] page, int from) {
    int i = from;
    while (i < PAGE_CLUSTERS && page[i] == 0) {
      i++;
    }
    return i;
  }

  /** One cluster more than the last whose count is not 0. */
  public long end() {
    if (pages.isEmpty()) {
      return 0;
    }
    byte[] last = pages.lastEntry().getValue();
    int i = PAGE_CLUSTERS;
    while (last[i - 1] == 0) {
      i--;
    }
    return pages.lastKey() * PAGE_CLUSTERS + i;
  }
}
