package org.qcowfs.fuse.wire;

import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;

/** The system calls on the FUSE device. Pointers are addresses. Public as jnr-ffi implements it. */
public interface DeviceCalls {
  @ssize_t
  long read(int fd, @size_t long buffer, @size_t long bytes);

  @ssize_t
  long writev(int fd, @size_t long vectors, int count);
}
