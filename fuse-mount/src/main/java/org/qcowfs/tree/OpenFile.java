package org.qcowfs.tree;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.error.ReadOnlyImageException;

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

  /** Size in bytes. */
  long size() throws IOException;

  /**
   * Offset of the first byte, at that offset or behind it, that is not known to be zero; -1 if
   * there is none. What is not stored as data anywhere is known to be zero.
   *
   * @param offset 0 or more
   */
  default long nextData(long offset) throws IOException {
    return offset < size() ? offset : -1;
  }

  /**
   * Offset of the first byte, at that offset or behind it, that is known to be zero; the size if
   * there is none, and -1 if the file ends at or before the offset.
   *
   * @param offset 0 or more
   */
  default long nextHole(long offset) throws IOException {
    long size = size();
    return offset < size ? size : -1;
  }

  /**
   * Called at most once, before anything else, of a file that may be cached.
   *
   * @param cache what the kernel holds of the file
   * @param bypassed whether this one reads and writes past what the kernel holds
   * @return whether what it holds from earlier opens is still right
   */
  default boolean cachedIn(PageCache cache, boolean bypassed) {
    return true;
  }

  /**
   * Writes the source's remaining bytes, as far as they lie in the file: writing makes no disk
   * longer.
   *
   * @param source may be changed only while the call lasts
   * @return how many bytes were written; 0 where the file ends at or before the offset
   */
  default int write(ByteBuffer source, long offset) throws IOException {
    throw new ReadOnlyImageException("the file can only be read");
  }

  /**
   * As {@link #write}, but of pages that were changed through mappings and that the kernel now
   * writes out, at a time of its own.
   */
  default int writeBack(ByteBuffer source, long offset) throws IOException {
    return write(source, offset);
  }

  /**
   * Gives a range space on the host; it reads as before.
   *
   * @param keepSize leave out what lies behind the end of the file; else the file grows
   */
  default void allocate(long offset, long length, boolean keepSize) throws IOException {
    throw new ReadOnlyImageException("the file can only be read");
  }

  /** Makes a range read as zeros that keeps its space. Else as {@link #allocate}. */
  default void zero(long offset, long length, boolean keepSize) throws IOException {
    throw new ReadOnlyImageException("the file can only be read");
  }

  /** Makes a range read as zeros that needs its space no more; never changes the size. */
  default void punchHole(long offset, long length) throws IOException {
    throw new ReadOnlyImageException("the file can only be read");
  }

  /** As {@link Node#flush}, also where the file is no longer to be found under its name. */
  default void flush() throws IOException {}
}
