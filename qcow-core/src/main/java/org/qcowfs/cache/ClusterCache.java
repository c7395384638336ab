package org.qcowfs.cache;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the clusters that were decompressed last, in a bounded amount of memory. The arrays are
 * shared and never changed.
 *
 * <p>Thread rules: any number of threads; the one lock is held for a look into a map, never for
 * I/O.
 */
public final class ClusterCache {
  /** Requests and other caches need memory too. */
  private static final int HEAP_SHARE = 8;

  private final long maxBytes;
  private final Map<Long, byte[]> clusters = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  /**
   * @param maxBytes memory for clusters; at least one is kept, and at most what an eighth of the
   *     heap holds
   */
  public ClusterCache(long maxBytes) {
    this(maxBytes, Runtime.getRuntime().maxMemory());
  }

  /** As {@link #ClusterCache(long)}, with a heap of so many bytes. */
  ClusterCache(long maxBytes, long heapBytes) {
    this.maxBytes = Math.min(maxBytes, heapBytes / HEAP_SHARE);
  }

  /** The cluster, or null where it is not kept. */
  public synchronized byte @Nullable [] get(long key) {
    return clusters.get(key);
  }

  /** Keeps a cluster, and drops those that were used longest ago. */
  public synchronized void put(long key, byte[] cluster) {
    byte[] old = clusters.put(key, cluster);
    bytes += cluster.length - (old == null ? 0 : old.length);
    Iterator<byte[]> eldest = clusters.values().iterator();
    while (bytes > maxBytes && clusters.size() > 1) {
      bytes -= eldest.next().length;
      eldest.remove();
    }
  }
}
