package org.qcowfs.storage;

import java.nio.ByteBuffer;

/** Several buffers whose remaining bytes are meant as one run. */
final class Gather {
  private Gather() {}

  static long remaining(ByteBuffer[] buffers) {
    long remaining = 0;
    for (ByteBuffer buffer : buffers) {
      remaining += buffer.remaining();
    }
    return remaining;
  }

  /** Index of the first buffer that has something left. One has. */
  static int first(ByteBuffer[] buffers) {
    int first = 0;
    while (!buffers[first].hasRemaining()) {
      first++;
    }
    return first;
  }

  /** Fills the destination with the run's next bytes and advances past them. */
  static void copy(ByteBuffer[] buffers, ByteBuffer destination) {
    for (ByteBuffer buffer : buffers) {
      int bytes = Math.min(buffer.remaining(), destination.remaining());
      int limit = buffer.limit();
      destination.put(buffer.limit(buffer.position() + bytes));
      buffer.limit(limit);
    }
  }

  /** The run's next bytes as buffers of their own; advances past them. */
  static ByteBuffer[] take(ByteBuffer[] buffers, long bytes) {
    ByteBuffer[] taken = new ByteBuffer[buffers.length];
    long left = bytes;
    for (int i = 0; i < buffers.length; i++) {
      int count = (int) Math.min(left, buffers[i].remaining());
      taken[i] = buffers[i].duplicate().limit(buffers[i].position() + count);
      buffers[i].position(buffers[i].position() + count);
      left -= count;
    }
    return taken;
  }
}
