package org.qcowfs.testkit.crash;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The disk that a simulated guest works on, and what its acknowledgements promise. */
public interface GuestDisk {
  /** The size of the disk now, in bytes. */
  long size();

  /** Writes the source's remaining bytes. */
  void write(ByteBuffer source, long guestOffset) throws IOException;

  /** Makes a range read as zeros; with {@code unmap}, gives its clusters up. */
  void zero(long guestOffset, long length, boolean unmap) throws IOException;

  /** Gives a range its space; it reads as before. */
  void allocate(long guestOffset, long length) throws IOException;

  /** A guest's flush, as far as the cache mode lets it go. */
  void flush() throws IOException;

  /** Changes the size of the disk, in bytes. */
  void resize(long bytes) throws IOException;

  /** A clean end. */
  void finish() throws IOException;

  /** What the return of a change promises. */
  Promise promiseOfChange();

  /** What the return of {@link #flush} promises. */
  Promise promiseOfFlush();

  /** What the return of {@link #finish} promises. */
  Promise promiseOfFinish();
}
