package org.qcowfs.it.kit;

import java.nio.ByteBuffer;
import jnr.ffi.Pointer;
import jnr.ffi.types.off_t;
import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;
import org.jspecify.annotations.Nullable;

/**
 * The C library, as far as {@link DiskFile} and {@link StoppedProcess} need it. Public because
 * jnr-ffi implements it.
 */
public interface LibC {
  int open(String path, int flags, int mode);

  int close(int fd);

  int kill(int pid, int signal);

  @ssize_t
  long pread(int fd, ByteBuffer destination, @size_t long bytes, @off_t long offset);

  @ssize_t
  long pwrite(int fd, ByteBuffer source, @size_t long bytes, @off_t long offset);

  @off_t
  long lseek(int fd, @off_t long offset, int whence);

  int fsync(int fd);

  int fdatasync(int fd);

  int ftruncate(int fd, @off_t long bytes);

  int fallocate(int fd, int mode, @off_t long offset, @off_t long bytes);

  Pointer mmap(
      @Nullable Pointer address,
      @size_t long bytes,
      int protection,
      int flags,
      int fd,
      @off_t long offset);

  int msync(Pointer address, @size_t long bytes, int flags);

  int munmap(Pointer address, @size_t long bytes);

  String strerror(int errno);
}
