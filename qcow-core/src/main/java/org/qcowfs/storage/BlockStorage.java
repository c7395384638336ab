package org.qcowfs.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * The bytes of one host file.
 *
 * <p>Thread rules: every method may be called from any number of threads at once; none after {@link
 * #close}.
 */
public interface BlockStorage extends Closeable {
  /** The file as it was named when it was opened, for messages. */
  Path name();

  /** Size in bytes, as it is now. */
  long size() throws IOException;

  /** What the file takes up on the host, in bytes. */
  long allocatedBytes() throws IOException;

  /**
   * Reads until the destination is full or the file ends, and advances the destination's position.
   *
   * @return how many bytes were read
   */
  int read(ByteBuffer destination, long hostOffset) throws IOException;

  /**
   * Offset of the first byte at or behind the given one that the host stores as data; -1 where only
   * a hole follows up to the end of the file.
   */
  long nextData(long hostOffset) throws IOException;

  /**
   * Offset of the first byte at or behind the given one that lies in a hole, or the end of the
   * file.
   */
  long nextHole(long hostOffset) throws IOException;

  /**
   * Reads exactly the destination's remaining bytes.
   *
   * @throws java.io.EOFException when the file ends before
   */
  default void readFully(ByteBuffer destination, long hostOffset) throws IOException {
    int wanted = destination.remaining();
    int count = read(destination, hostOffset);
    if (count < wanted) {
      throw new java.io.EOFException(
          "%s: ends at 0x%x, %d bytes wanted at host offset 0x%x"
              .formatted(name(), hostOffset + count, wanted, hostOffset));
    }
  }
}
