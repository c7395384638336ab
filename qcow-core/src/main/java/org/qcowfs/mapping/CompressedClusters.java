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
 * Reads compressed clusters of one image file. A cluster that is wanted whole is decompressed in
 * its place; of one that is wanted in part, the rest is kept.
 *
 * <p>Thread rules: any number of threads. Those that want parts of one cluster at the same time
 * wait for the first, which decompresses it for all.
 */
final class CompressedClusters {
  private static final int LOADER_LOCKS = 16;
  private static final int FILE_SHIFT = 56;

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

  private void decompress(long entry, ByteBuffer cluster) throws IOException {
    int clusterBits = geometry.clusterBits();
    long hostOffset = hostOffset(entry);
    // The last sector may end past the file, and the length may be too large: the data ends itself.
    ByteBuffer compressed = COMPRESSED.get(L2Entry.compressedBytes(entry, clusterBits));
    int count = storage.read(compressed, hostOffset);
    compressed.flip();
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
