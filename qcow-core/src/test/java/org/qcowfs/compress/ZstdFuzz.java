package org.qcowfs.compress;

import org.assertj.core.api.Assertions;
import org.qcowfs.testkit.fuzz.FuzzInput;

/**
 * Fuzz target: a byte for the cluster size, then zstd data. Decompressed twice, a cluster is the
 * same: nothing stays behind of what was broken.
 */
public final class ZstdFuzz {
  private static final ZstdDecompressor DECOMPRESSOR = new ZstdDecompressor();

  private ZstdFuzz() {}

  /** One case. */
  public static void fuzzerTestOneInput(byte[] data) {
    FuzzInput input = new FuzzInput(data);
    int clusterBytes = 1 << input.nextIn(9, 16);
    byte[] compressed = input.rest();
    DecompressedCluster first = DecompressedCluster.of(DECOMPRESSOR, compressed, clusterBytes);
    DecompressedCluster again = DecompressedCluster.of(DECOMPRESSOR, compressed, clusterBytes);
    Assertions.assertThat(again.count()).isEqualTo(first.count());
    Assertions.assertThat(again.bytes().slice(0, again.count()))
        .isEqualTo(first.bytes().slice(0, first.count()));
  }
}
