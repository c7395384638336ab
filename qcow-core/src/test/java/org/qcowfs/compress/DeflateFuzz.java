package org.qcowfs.compress;

import java.nio.ByteBuffer;
import java.util.Set;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.assertj.core.api.Assertions;
import org.qcowfs.testkit.fuzz.FuzzInput;

/**
 * Fuzz target: a byte for the cluster size, then raw deflate data. With libdeflate and without, a
 * cluster is the same; but libdeflate may make a cluster of what zlib refuses for one of a few
 * reasons.
 */
public final class DeflateFuzz {
  private static final DeflateDecompressor QUICK = new DeflateDecompressor(true);
  private static final DeflateDecompressor PLAIN = new DeflateDecompressor(false);

  /**
   * What libdeflate 1.14 does not mind, by its source: more codes than there are symbols, lengths
   * of codes that go on behind the last code, codes of no symbol, and the code that is left over
   * where there is only one. It reads on as if they were in order. Damage that is not met in this
   * way goes unseen by zlib too: deflate has no checksum.
   */
  private static final Set<String> TAKEN_BY_LIBDEFLATE =
      Set.of(
          "too many length or distance symbols",
          "invalid bit length repeat",
          "invalid distance code",
          "invalid literal/length code");

  private DeflateFuzz() {}

  /** One case. */
  public static void fuzzerTestOneInput(byte[] data) {
    FuzzInput input = new FuzzInput(data);
    int clusterBytes = 1 << input.nextIn(9, 16);
    byte[] compressed = input.rest();
    DecompressedCluster quick = DecompressedCluster.of(QUICK, compressed, clusterBytes);
    DecompressedCluster plain = DecompressedCluster.of(PLAIN, compressed, clusterBytes);
    if (quick.count() == clusterBytes && plain.count() < clusterBytes) {
      Assertions.assertThat(TAKEN_BY_LIBDEFLATE).contains(refusal(compressed, clusterBytes));
      return;
    }
    Assertions.assertThat(quick.count()).isEqualTo(plain.count());
    ByteBuffer expected = plain.bytes().slice(0, plain.count());
    Assertions.assertThat(quick.bytes().slice(0, quick.count())).isEqualTo(expected);
  }

  /** Why zlib refuses the data; empty where it only gives too little. */
  private static String refusal(byte[] compressed, int clusterBytes) {
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(compressed);
      ByteBuffer cluster = ByteBuffer.allocate(clusterBytes);
      while (cluster.hasRemaining() && inflater.inflate(cluster) > 0) {
        // until it is full, or gets no further
      }
      return "";
    } catch (DataFormatException e) {
      return String.valueOf(e.getMessage());
    } finally {
      inflater.end();
    }
  }
}
