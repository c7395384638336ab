package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A disk that can be changed, with the two stages of a flush apart: what cache modes are made of.
 */
interface WritableDisk {
  long size();

  void read(ByteBuffer destination, long guestOffset) throws IOException;

  void extents(long guestOffset, long length, ExtentVisitor visitor) throws IOException;

  void write(ByteBuffer source, long guestOffset) throws IOException;

  void zero(long guestOffset, long length, ZeroMode mode) throws IOException;

  void allocate(long guestOffset, long length) throws IOException;

  void resize(long bytes) throws IOException;

  /** Flush-to-OS: afterwards the image survives the death of this process. */
  void flushToOs() throws IOException;

  /** Flush-to-disk: afterwards the image also survives a power loss. */
  void flushToDisk() throws IOException;

  /**
   * Asserts that no flush-to-disk has failed: that is final, and no later flush may promise
   * anything.
   *
   * @throws org.qcowfs.error.HostIoException with the error number of the flush that failed
   */
  void checkSound() throws IOException;

  /** Whether the image has been marked corrupt since it was opened. */
  boolean isMarkedCorrupt();

  /** Prepares for a mode: page cache or not, barriers between dependent metadata or not. */
  void prepareFor(CacheMode mode) throws IOException;

  /** Leaves the file clean. */
  void finish() throws IOException;
}
