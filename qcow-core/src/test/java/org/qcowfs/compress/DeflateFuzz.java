package org.qcowfs.compress;

import java.nio.ByteBuffer;
import org.assertj.core.api.Assertions;
import org.qcowfs.testkit.fuzz.FuzzInput;

/**
 * Fuzz target: a byte for the cluster size, then raw deflate data. With libdeflate and without, a
 * cluster is the same.
 */
public final class DeflateFuzz {
  private static final DeflateDecompressor QUICK = new DeflateDecompressor(true);
  private static final DeflateDecompressor PLAIN = new DeflateDecompressor(false);

  private DeflateFuzz() {}

  /** One case. */
  public static void fuzzerTestOneInput(byte[] data) {
    FuzzInput input = new FuzzInput(data);
    int clusterBytes = 1 << input.nextIn(9, 16);
    byte[] compressed = input.rest();
    DecompressedCluster quick = DecompressedCluster.of(QUICK, compressed, clusterBytes);
    DecompressedCluster plain = DecompressedCluster.of(PLAIN, compressed, clusterBytes);
    Assertions.assertThat(quick.count()).isEqualTo(plain.count());
    ByteBuffer expected = plain.bytes().slice(0, plain.count());
    Assertions.assertThat(quick.bytes().slice(0, quick.count())).isEqualTo(expected);
  }
}
