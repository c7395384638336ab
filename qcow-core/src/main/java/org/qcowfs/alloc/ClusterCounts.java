package org.qcowfs.alloc;

import java.util.Arrays;
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

  private static final byte[] UNUSED_PAGE = new byte[PAGE_CLUSTERS];

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

  /**
   * Counts each cluster of a range so many times more; as {@link #add(long, long)}, but quicker.
   *
   * @throws UnsupportedFeatureException when there is no memory for it
   */
  public void addToEach(long first, long clusters, long times) throws UnsupportedFeatureException {
    if (times == 0) {
      return;
    }
    long end = first + clusters;
    for (long cluster = first; cluster < end; ) {
      long piece = Math.min(end - cluster, PAGE_CLUSTERS - cluster % PAGE_CLUSTERS);
      long before = get(cluster);
      if (times > 0 && before + times < LARGE && isEach(cluster, piece, before)) {
        byte[] page = page(cluster / PAGE_CLUSTERS);
        if (page == null) {
          page = newPage(cluster / PAGE_CLUSTERS);
        }
        int at = (int) (cluster % PAGE_CLUSTERS);
        Arrays.fill(page, at, at + (int) piece, (byte) (before + times));
      } else {
        for (long each = cluster; each < cluster + piece; each++) {
          add(each, times);
        }
      }
      cluster += piece;
    }
  }

  /** Whether each cluster of a range has this count. */
  public boolean isEach(long first, long clusters, long count) {
    long end = first + clusters;
    for (long cluster = first; cluster < end; ) {
      long piece = Math.min(end - cluster, PAGE_CLUSTERS - cluster % PAGE_CLUSTERS);
      byte[] page = page(cluster / PAGE_CLUSTERS);
      int at = (int) (cluster % PAGE_CLUSTERS);
      if (get(cluster) != count || (page != null && !isAlike(page, at, at + (int) piece))) {
        return false;
      }
      if (count >= LARGE && !large.isEmpty()) {
        for (long each = cluster; each < cluster + piece; each++) {
          if (get(each) != count) {
            return false;
          }
        }
      }
      cluster += piece;
    }
    return true;
  }

  private static boolean isAlike(byte[] page, int from, int to) {
    return Arrays.equals(page, from, to - 1, page, from + 1, to);
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
    return placeOf(
        Arrays.mismatch(page, from, PAGE_CLUSTERS, UNUSED_PAGE, from, PAGE_CLUSTERS), from);
  }

  private static int placeOf(int mismatch, int from) {
    return mismatch < 0 ? PAGE_CLUSTERS : from + mismatch;
  }

  /** The first cluster at or behind the given one of which others say something else, or -1. */
  public long mismatch(ClusterCounts others, long from) {
    long cluster = nextOfEither(others, from);
    while (cluster >= 0) {
      long index = cluster / PAGE_CLUSTERS;
      int at = mismatchInPage(others, index, (int) (cluster % PAGE_CLUSTERS));
      if (at < PAGE_CLUSTERS) {
        return index * PAGE_CLUSTERS + at;
      }
      cluster = nextOfEither(others, (index + 1) * PAGE_CLUSTERS);
    }
    return -1;
  }

  private long nextOfEither(ClusterCounts others, long from) {
    long own = next(from);
    long other = others.next(from);
    return own < 0 ? other : other < 0 ? own : Math.min(own, other);
  }

  private int mismatchInPage(ClusterCounts others, long index, int from) {
    byte[] own = page(index);
    byte[] other = others.page(index);
    if (own == null || other == null) {
      byte[] only = own == null ? other : own;
      return only == null ? PAGE_CLUSTERS : nextUsed(only, from);
    }
    int at = placeOf(Arrays.mismatch(own, from, PAGE_CLUSTERS, other, from, PAGE_CLUSTERS), from);
    if (!large.isEmpty() && !others.large.isEmpty()) {
      for (int i = from; i < at; i++) {
        long cluster = index * PAGE_CLUSTERS + i;
        if ((own[i] & 0xff) == LARGE && get(cluster) != others.get(cluster)) {
          return i;
        }
      }
    }
    return at;
  }

  /** One cluster more than the last whose count is not 0. */
  public long end() {
    return last(Long.MAX_VALUE) + 1;
  }

  /** The last cluster in front of the given one whose count is not 0; -1 where there is none. */
  public long last(long end) {
    Map.Entry<Long, byte[]> entry = pages.floorEntry((end - 1) / PAGE_CLUSTERS);
    while (entry != null) {
      long first = entry.getKey() * PAGE_CLUSTERS;
      int i = (int) Math.min(PAGE_CLUSTERS, end - first);
      while (i > 0 && entry.getValue()[i - 1] == 0) {
        i--;
      }
      if (i > 0) {
        return first + i - 1;
      }
      entry = pages.lowerEntry(entry.getKey());
    }
    return -1;
  }
}
