package org.qcowfs.mapping;

import java.nio.ByteBuffer;

/** Fills buffers with zeros. */
public final class Zeros {
  private static final ByteBuffer SOURCE = ByteBuffer.allocateDirect(64 << 10).asReadOnlyBuffer();

  private Zeros() {}

  /** Fills the destination from its position to its limit. */
  public static void fill(ByteBuffer destination) {
    while (destination.hasRemaining()) {
      int count = Math.min(SOURCE.capacity(), destination.remaining());
      destination.put(SOURCE.duplicate().limit(count));
    }
  }
}
