package org.qcowfs.testkit;

import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;
import org.qcowfs.testkit.ClusterContents.Storage;

/**
 * What a disk is to hold, cluster by cluster, and how each cluster is to be stored. What is not
 * mentioned stays unallocated.
 */
public final class DiskContents {
  private static final byte[] NOTHING = {};
  private static final int SUBCLUSTERS = 32;

  private final SortedMap<Long, ClusterContents> clusters = new TreeMap<>();
  private final int clusterBytes;
  private final long virtualSize;
  private final long l1Entries;

  DiskContents(int clusterBytes, long virtualSize, long l1Entries) {
    this.clusterBytes = clusterBytes;
    this.virtualSize = virtualSize;
    this.l1Entries = l1Entries;
  }

  /** A cluster stored byte for byte; of shorter bytes, the rest is zeros. */
  public DiskContents data(long guestCluster, byte[] bytes) {
    return put(guestCluster, new ClusterContents(Storage.DATA, bytes, 0, 0));
  }

  /** A zero cluster without a place in the host file. */
  public DiskContents zero(long guestCluster) {
    return put(guestCluster, new ClusterContents(Storage.ZERO, NOTHING, 0, 0));
  }

  /** A zero cluster with a place in the host file, where bytes lie that nobody may see. */
  public DiskContents zeroPreallocated(long guestCluster, byte[] hidden) {
    return put(guestCluster, new ClusterContents(Storage.ZERO_PREALLOCATED, hidden, 0, 0));
  }

  public DiskContents compressed(long guestCluster, byte[] bytes) {
    return put(guestCluster, new ClusterContents(Storage.COMPRESSED, bytes, 0, 0));
  }

  /**
   * A cluster of an image with extended L2 entries.
   *
   * @param bytes what the host cluster holds, including what nobody may see; empty: it has none
   * @param allocated bit x: subcluster x comes from the host cluster
   * @param zero bit x: subcluster x is zeros
   */
  public DiskContents subclusters(long guestCluster, byte[] bytes, int allocated, int zero) {
    long bitmap = (allocated & 0xffff_ffffL) | ((long) zero << SUBCLUSTERS);
    return put(guestCluster, new ClusterContents(Storage.SUBCLUSTERS, bytes, 0, bitmap));
  }

  /** An L2 entry as it is, right or wrong. */
  public DiskContents rawEntry(long guestCluster, long word, long bitmap) {
    return put(guestCluster, new ClusterContents(Storage.RAW_ENTRY, NOTHING, word, bitmap));
  }

  private DiskContents put(long guestCluster, ClusterContents cluster) {
    clusters.put(guestCluster, cluster);
    return this;
  }

  SortedMap<Long, ClusterContents> clusters() {
    return clusters;
  }

  long virtualSize() {
    return virtualSize;
  }

  long l1Entries() {
    return l1Entries;
  }

  /** What the disk must read as; the backing bytes show through, and end in zeros. */
  public byte[] expected(byte[] backing) {
    byte[] disk = Arrays.copyOf(backing, Math.toIntExact(virtualSize));
    clusters.forEach(
        (guestCluster, cluster) -> {
          int start = Math.toIntExact(guestCluster * clusterBytes);
          byte[] whole = new byte[clusterBytes];
          byte[] below = Arrays.copyOfRange(disk, start, start + clusterBytes);
          fill(cluster, below, whole);
          System.arraycopy(whole, 0, disk, start, Math.min(clusterBytes, disk.length - start));
        });
    return disk;
  }

  private void fill(ClusterContents cluster, byte[] below, byte[] whole) {
    switch (cluster.storage()) {
      case DATA, COMPRESSED ->
          System.arraycopy(cluster.bytes(), 0, whole, 0, cluster.bytes().length);
      case ZERO, ZERO_PREALLOCATED -> Arrays.fill(whole, (byte) 0);
      case SUBCLUSTERS -> fillSubclusters(cluster, below, whole);
      case RAW_ENTRY -> throw new IllegalStateException("a raw entry has no expected bytes");
    }
  }

  private void fillSubclusters(ClusterContents cluster, byte[] below, byte[] whole) {
    int subclusterBytes = clusterBytes / SUBCLUSTERS;
    byte[] stored = Arrays.copyOf(cluster.bytes(), clusterBytes);
    for (int i = 0; i < SUBCLUSTERS; i++) {
      if (((cluster.bitmap() >>> (SUBCLUSTERS + i)) & 1) == 0) {
        byte[] source = ((cluster.bitmap() >>> i) & 1) != 0 ? stored : below;
        System.arraycopy(source, i * subclusterBytes, whole, i * subclusterBytes, subclusterBytes);
      }
    }
  }
}
