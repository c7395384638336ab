package org.qcowfs.mapping;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Where the bytes come from that a layer does not allocate. */
@FunctionalInterface
public interface BackingSource {
  /** There is no backing file: zeros. */
  BackingSource ZEROS = (destination, guestOffset) -> Zeros.fill(destination);

  /** Fills the destination; with zeros, where the source is shorter. */
  void read(ByteBuffer destination, long guestOffset) throws IOException;
}
