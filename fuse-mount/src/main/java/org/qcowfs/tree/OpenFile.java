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

  /**
   * Called at most once, before anything else, of a file that may be cached.
   *
   * @param cache what the kernel holds of the file
   * @return whether what it holds from earlier opens is still right
   */
  default boolean cachedIn(PageCache cache) {
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
