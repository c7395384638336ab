package org.qcowfs.tree;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * An open file of the tree. Every method but {@link #close} may be called by several threads at
 * once.
 */
public interface OpenFile extends Closeable {
  /**
   * Reads at most the destination's remaining bytes and advances its position.
   *
   * @return how many bytes were read: fewer than wanted only at the end of the file
   */
  int read(ByteBuffer destination, long offset) throws IOException;
}
