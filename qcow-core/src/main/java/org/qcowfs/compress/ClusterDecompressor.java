package org.qcowfs.compress;

import java.nio.ByteBuffer;

/**
 * Turns the compressed form of one cluster into the cluster. Implementations keep native memory for
 * the thread that calls them, and no other state.
 */
public interface ClusterDecompressor {
  /**
   * Decompresses until the output is full. Whatever follows in the input belongs to others.
   *
   * @param input direct; from its position to its limit, which may lie past the end of the data
   * @param output direct; filled from its position to its limit
   * @return how many bytes were produced; fewer than asked for only where the data ended early or
   *     broke a rule of its format
   */
  int decompress(ByteBuffer input, ByteBuffer output);
}
