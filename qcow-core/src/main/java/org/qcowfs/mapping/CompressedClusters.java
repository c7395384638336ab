package org.qcowfs.mapping;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.cache.ClusterCache;
import org.qcowfs.compress.ClusterDecompressor;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.L2Entry;
import org.qcowfs.format.Limits;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.storage.DirectBuffers;

/**
 * Reads compressed clusters of one image file. Clusters that are wanted whole are decompressed in
 * their place, side by side; of one that is wanted in part, the rest is kept.
 *
 * <p>Thread rules: any number of threads. Those that want parts of one cluster at the same time
 * wait for the first, which decompresses it for all.
 */
final class CompressedClusters {
  private static final int LOADER_LOCKS = 16;
  private static final int FILE_SHIFT = 56;

  /** The most that is read from the host at once, but for a cluster that is larger by itself. */
  private static final int MAX_FETCH_BYTES = 1 << 20;

  private static final DirectBuffers COMPRESSED = new DirectBuffers();
  private static final DirectBuffers DECOMPRESSED = new DirectBuffers();

  private final BlockStorage storage;
  private final int fileIndex;
  private final ClusterGeometry geometry;
  private final ClusterDecompressor decompressor;
  private final ClusterCache cache;
  private final Object[] loaderLocks = new Object[LOADER_LOCKS];

  CompressedClusters(
      BlockStorage storage,
      int fileIndex,
      ClusterGeometry geometry,
      ClusterDecompressor decompressor,
      ClusterCache cache) {
    this.storage = storage;
    this.fileIndex = fileIndex;
    this.geometry = geometry;
    this.decompressor = decompressor;
    this.cache = cache;
    for (int i = 0; i < LOADER_LOCKS; i++) {
      loaderLocks[i] = new Object();
    }
  }

  /**
   * Fills the destination with bytes of the cluster, from the offset in it on.
   *
   * @param entry the L2 entry of the cluster
   * @param destination takes no more than the cluster has from the offset on
   */
  void read(long entry, int offsetInCluster, ByteBuffer destination) throws IOException {
    if (destination.isDirect() && destination.remaining() == geometry.clusterBytes()) {
      decompress(entry, destination);
    } else {
      destination.put(cluster(entry), offsetInCluster, destination.remaining());
    }
  }

  private long hostOffset(long entry) throws CorruptImageException {
    long hostOffset = L2Entry.compressedOffset(entry, geometry.clusterBits());
    if (hostOffset > Limits.HOST_OFFSET) {
      throw new CorruptImageException(
          "Compressed cluster", hostOffset, "beyond what a host offset can be");
    }
    return hostOffset;
  }

  private byte[] cluster(long entry) throws IOException {
    long hostOffset = hostOffset(entry);
    long key = (long) fileIndex << FILE_SHIFT | hostOffset;
    byte[] kept = cache.get(key);
    if (kept != null) {
      return kept;
    }
    synchronized (loaderLocks[(int) (hostOffset >>> 9 ^ hostOffset) & LOADER_LOCKS - 1]) {
      byte[] keptMeanwhile = cache.get(key);
      if (keptMeanwhile != null) {
        return keptMeanwhile;
      }
      ByteBuffer decompressed = DECOMPRESSED.get(geometry.clusterBytes());
      decompress(entry, decompressed);
      byte[] cluster = new byte[geometry.clusterBytes()];
      decompressed.get(0, cluster);
      cache.put(key, cluster);
      return cluster;
    }
  }

  /**
   * Fills the destination with whole clusters. Those that lie behind each other in the file are
   * fetched together.
   *
   * @param entries the L2 entries of the clusters
   * @param count how many of the entries
   * @param destination direct; takes so many clusters, and is left full
   */
  void readWhole(long[] entries, int count, ByteBuffer destination) throws IOException {
    int done = 0;
    while (done < count) {
      int end = endOfFetch(entries, done, count);
      fetchAndDecompress(entries, done, end, destination);
      done = end;
    }
  }

  private int endOfFetch(long[] entries, int first, int count) throws CorruptImageException {
    long start = hostOffset(entries[first]);
    long fetchEnd = start + compressedBytes(entries[first]);
    int end = first + 1;
    while (end < count) {
      // Lengths count in sectors, so that the next cluster begins before the end of this one.
      long next = hostOffset(entries[end]);
      long nextEnd = next + compressedBytes(entries[end]);
      if (next < start || next > fetchEnd || nextEnd - start > MAX_FETCH_BYTES) {
        break;
      }
      fetchEnd = Math.max(fetchEnd, nextEnd);
      end++;
    }
    return end;
  }

  private void fetchAndDecompress(long[] entries, int first, int end, ByteBuffer destination)
      throws IOException {
    long start = hostOffset(entries[first]);
    long fetchEnd = start;
    for (int i = first; i < end; i++) {
      fetchEnd = Math.max(fetchEnd, hostOffset(entries[i]) + compressedBytes(entries[i]));
    }
    ByteBuffer fetched = fetch(start, (int) (fetchEnd - start));
    int position = destination.position();
    int clusterBytes = geometry.clusterBytes();
    SideBySide.run(
        end - first,
        index -> {
          long entry = entries[first + index];
          int from = Math.min((int) (hostOffset(entry) - start), fetched.limit());
          int length = Math.min(compressedBytes(entry), fetched.limit() - from);
          int to = position + index * clusterBytes;
          decompress(
              hostOffset(entry),
              fetched.slice(from, length),
              destination.duplicate().position(to).limit(to + clusterBytes));
        });
    destination.position(position + (end - first) * clusterBytes);
  }

  private int compressedBytes(long entry) {
    return L2Entry.compressedBytes(entry, geometry.clusterBits());
  }

  /** The last sector may end past the file, and the length may be too large: less is fetched. */
  private ByteBuffer fetch(long hostOffset, int bytes) throws IOException {
    ByteBuffer fetched = COMPRESSED.get(bytes);
    storage.read(fetched, hostOffset);
    return fetched.flip();
  }

  private void decompress(long entry, ByteBuffer cluster) throws IOException {
    long hostOffset = hostOffset(entry);
    decompress(hostOffset, fetch(hostOffset, compressedBytes(entry)), cluster);
  }

  private void decompress(long hostOffset, ByteBuffer compressed, ByteBuffer cluster)
      throws CorruptImageException {
    int count = compressed.remaining();
    int produced = decompressor.decompress(compressed, cluster);
    if (cluster.hasRemaining()) {
      throw new CorruptImageException(
          "Compressed cluster",
          hostOffset,
          "%d bytes of compressed data gave %d bytes, a cluster has %d"
              .formatted(count, produced, geometry.clusterBytes()));
    }
  }
}
