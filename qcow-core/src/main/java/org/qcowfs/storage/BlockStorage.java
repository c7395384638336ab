package org.qcowfs.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * The bytes of one host file. Offsets and lengths are in bytes and never negative.
 *
 * <p>Thread rules: every method may be called from any number of threads at once; none after {@link
 * #close}. Of two writes that overlap, each byte is that of one or the other; writes that do not
 * overlap never disturb each other, however close they lie.
 *
 * <p>What survives: a change that has returned is with the host's operating system, and survives
 * the death of this process. It survives a power loss only once a {@link #flushToDisk} that began
 * after it has returned; until then, any part of it may be lost, sector by sector and in any order.
 * A change that failed may have been made in part.
 *
 * <p>Errors: {@link org.qcowfs.error.HostIoException} carries the host's error number, such as
 * ENOSPC. Every change fails where the file is not {@link #isWritable writable}, and after a failed
 * flush to disk.
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

  /** Whether the file was opened for writing. */
  boolean isWritable();

  /**
   * Writes all of the source's remaining bytes and advances its position. Grows the file where they
   * reach beyond its end; what lies between the old end and the write reads as zeros.
   */
  void write(ByteBuffer source, long hostOffset) throws IOException;

  /**
   * Writes all that remains in the sources, one after the other as one run of bytes, and advances
   * their positions. As {@link #write(ByteBuffer, long)}, with fewer calls to the host.
   */
  void write(ByteBuffer[] sources, long hostOffset) throws IOException;

  /**
   * Returns when every change that had returned before the call is on stable media, and survives a
   * power loss. A failure is final: every later change and flush fails with the same error number;
   * reads go on.
   */
  void flushToDisk() throws IOException;

  /**
   * Makes the file as long as this. What is cut off is gone, and reads as zeros if the file grows
   * again. Refused where the host's size is fixed, as a block device's is.
   */
  void resize(long bytes) throws IOException;

  /**
   * Makes a range read as zeros and gives its space back to the host, where the host can do so. The
   * size stays as it is; what lies beyond the end is ignored.
   */
  void punchHole(long hostOffset, long bytes) throws IOException;

  /**
   * Makes a range read as zeros and keeps space reserved for it, so that a later write to it does
   * not fail for want of space. Grows the file where the range reaches beyond its end.
   */
  void zeroRange(long hostOffset, long bytes) throws IOException;

  /**
   * Reserves space for a range and changes no byte of it; what was a hole or lies beyond the end
   * reads as zeros. Grows the file where the range reaches beyond its end.
   */
  void allocate(long hostOffset, long bytes) throws IOException;
}
