package org.qcowfs.mapping;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.cache.ClusterCache;
import org.qcowfs.compress.ClusterDecompressor;
import org.qcowfs.compress.DeflateDecompressor;
import org.qcowfs.compress.ZstdDecompressor;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.testkit.fuzz.FuzzInput;
import org.qcowfs.testkit.storage.MemoryStorage;

/**
 * Fuzz target: a byte for the cluster size, one for the codec and how many entries there are, two
 * for each L2 entry (its offset and its length in sectors), then the file that they point into.
 * Clusters read whole and side by side are those read one by one.
 */
public final class CompressedClusterFuzz {
  private static final ClusterDecompressor DEFLATE = new DeflateDecompressor();
  private static final ClusterDecompressor ZSTD = new ZstdDecompressor();

  private CompressedClusterFuzz() {}

  /** One case. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    FuzzInput input = new FuzzInput(data);
    int clusterBits = input.nextIn(9, 14);
    int choice = input.nextByte();
    long[] entries = new long[choice >> 1 & 7];
    for (int i = 0; i < entries.length; i++) {
      entries[i] = entry(input, clusterBits);
    }
    MemoryStorage file = MemoryStorage.of(input.rest());
    CompressedClusters clusters =
        new CompressedClusters(
            file,
            0,
            new ClusterGeometry(clusterBits, false),
            (choice & 1) == 0 ? DEFLATE : ZSTD,
            new ClusterCache(1 << 20));
    readAll(clusters, entries, 1 << clusterBits);
  }

  private static long entry(FuzzInput input, int clusterBits) {
    int hostOffset = input.nextByte() * 8;
    int length = input.nextByte();
    // One in some is a whole word, to reach what no file can hold.
    return length == 0xff
        ? input.nextLong() | 1L << 62
        : 1L << 62
            | (long) (length & (1 << (clusterBits - 8)) - 1) << (70 - clusterBits)
            | hostOffset;
  }

  private static void readAll(CompressedClusters clusters, long[] entries, int clusterBytes)
      throws IOException {
    ByteBuffer oneByOne = ByteBuffer.allocate(entries.length * clusterBytes);
    boolean allWhole = true;
    for (int i = 0; i < entries.length; i++) {
      try {
        clusters.read(entries[i], 0, oneByOne.limit((i + 1) * clusterBytes));
      } catch (CorruptImageException refused) {
        allWhole = false;
        oneByOne.position((i + 1) * clusterBytes);
      }
    }
    ByteBuffer together = ByteBuffer.allocateDirect(entries.length * clusterBytes);
    try {
      clusters.readWhole(entries, entries.length, together);
      assertThat(allWhole).isTrue();
      assertThat(together.flip()).isEqualTo(oneByOne.flip());
    } catch (CorruptImageException refused) {
      assertThat(allWhole).isFalse();
    }
  }
}
