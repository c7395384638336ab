package org.qcowfs.storage;

import java.nio.ByteBuffer;
import org.qcowfs.error.HostIoException;

/**
 * How bytes move between buffers of any kind and the host file: by way of the page cache, or around
 * it.
 *
 * <p>Thread rules: any number of threads, each inside the file's {@link RequestGate}.
 */
interface Transfer {
  /** Reads until the buffer is full or the file ends. */
  int read(ByteBuffer destination, long hostOffset) throws HostIoException;

  /** Writes all of the buffer. */
  void write(ByteBuffer source, long hostOffset) throws HostIoException;

  /** Writes all of the buffers, one after the other. */
  void write(ByteBuffer[] sources, long hostOffset) throws HostIoException;

  /**
   * Whether a write that ends at the given offset must find the file to itself, and be made by
   * {@link #writeAlone}.
   */
  boolean mustBeAlone(long hostEnd) throws HostIoException;

  /** As {@link #write(ByteBuffer[], long)}, for a caller that is alone. */
  void writeAlone(ByteBuffer[] sources, long hostOffset) throws HostIoException;

  /** Before the host itself changes a range; others may do so at the same time. */
  void enterRange(long hostOffset, long bytes);

  /** After the host has changed a range. */
  void leaveRange(long hostOffset, long bytes);
}
