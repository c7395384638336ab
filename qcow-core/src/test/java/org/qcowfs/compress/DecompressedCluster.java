package org.qcowfs.compress;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;

/**
 * What a decompressor made of some bytes, when there was something before and behind the places for
 * input and output that it must leave alone.
 *
 * @param bytes as many as a cluster has
 * @param count how many of them were produced
 */
record DecompressedCluster(ByteBuffer bytes, int count) {
  private static final int MARGIN = 64;
  private static final byte UNTOUCHED = 0x6b;

  static DecompressedCluster of(
      ClusterDecompressor decompressor, byte[] compressed, int clusterBytes) {
    ByteBuffer input = ByteBuffer.allocateDirect(compressed.length + 2 * MARGIN);
    input.put(MARGIN, compressed).position(MARGIN).limit(MARGIN + compressed.length);
    ByteBuffer output = ByteBuffer.allocateDirect(clusterBytes + 2 * MARGIN);
    for (int i = 0; i < MARGIN; i++) {
      output.put(i, UNTOUCHED).put(MARGIN + clusterBytes + i, UNTOUCHED);
    }
    output.position(MARGIN).limit(MARGIN + clusterBytes);
    int count = decompressor.decompress(input, output);
    assertThat(count).isBetween(0, clusterBytes);
    output.clear();
    for (int i = 0; i < MARGIN; i++) {
      assertThat(output.get(i)).isEqualTo(UNTOUCHED);
      assertThat(output.get(MARGIN + clusterBytes + i)).isEqualTo(UNTOUCHED);
    }
    return new DecompressedCluster(output.slice(MARGIN, clusterBytes), count);
  }
}
