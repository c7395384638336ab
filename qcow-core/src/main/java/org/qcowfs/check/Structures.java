package org.qcowfs.check;

import java.util.Map;
import java.util.TreeMap;
import org.qcowfs.alloc.ClusterCounts;
import org.qcowfs.error.UnsupportedFeatureException;

/**
 * Which clusters hold structures that nothing else may share, and what they are called.
 *
 * <p>Thread rules: used by one thread.
 */
final class Structures {
  private static final int NAMES_MAX = 10_000;

  private final ClusterCounts clusters = new ClusterCounts();
  private final TreeMap<Long, String> names = new TreeMap<>();
  private String lastName = "";

  void add(long cluster, String name) throws UnsupportedFeatureException {
    // A name for each run of clusters is enough.
    if (!clustersBefore(cluster, name) && names.size() < NAMES_MAX) {
      names.putIfAbsent(cluster, name);
    }
    lastName = name;
    clusters.add(cluster, 1);
  }

  private boolean clustersBefore(long cluster, String name) {
    return name.equals(lastName) && cluster > 0 && clusters.get(cluster - 1) != 0;
  }

  boolean contains(long cluster) {
    return clusters.get(cluster) != 0;
  }

  /** Whether nothing lies in a range of clusters. */
  boolean isNone(long first, long count) {
    return clusters.isEach(first, count, 0);
  }

  /** How many structures lie there. */
  long count(long cluster) {
    return clusters.get(cluster);
  }

  /** What was first said to lie there. */
  String nameOf(long cluster) {
    Map.Entry<Long, String> name = names.floorEntry(cluster);
    return name == null ? "a structure" : name.getValue();
  }
}
