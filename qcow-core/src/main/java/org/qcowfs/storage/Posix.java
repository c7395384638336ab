package org.qcowfs.storage;

import com.kenai.jffi.MemoryIO;
import java.nio.ByteBuffer;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;
import jnr.ffi.types.off_t;
import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;
import org.qcowfs.error.HostIoException;

/**
 * The native calls of the engine, and the only class that makes any. Thin: a failed call becomes a
 * {@link HostIoException} that carries the error number, an interrupted one is made again.
 *
 * <p>Constants and layouts are those of Linux on 64-bit little-endian machines.
 */
final class Posix {
  static final int O_RDONLY = 0;
  static final int O_NONBLOCK = 0x800;
  static final int O_CLOEXEC = 0x80000;

  static final int SEEK_END = 2;
  static final int SEEK_DATA = 3;
  static final int SEEK_HOLE = 4;

  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int EIO = 5;
  static final int ENXIO = 6;
  static final int EAGAIN = 11;
  static final int EACCES = 13;
  static final int EINVAL = 22;

  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int STATX_BYTES = 256;

  private static final int F_OFD_GETLK = 36;
  private static final int F_OFD_SETLK = 37;
  private static final int FLOCK_BYTES = 32;
  private static final short F_RDLCK = 0;
  private static final short F_WRLCK = 1;
  private static final short F_UNLCK = 2;

  private static final LibC LIBC = LibraryLoader.create(LibC.class).failImmediately().load("c");
  private static final Runtime RUNTIME = Runtime.getRuntime(LIBC);
  private static final MemoryIO MEMORY = MemoryIO.getInstance();

  private Posix() {}

  /** The C library, as far as the engine needs it. Public because jnr-ffi implements it. */
  public interface LibC {
    int open(String path, int flags, int mode);

    int close(int fd);

    @ssize_t
    long pread(int fd, @size_t long address, @size_t long count, @off_t long offset);

    @off_t
    long lseek(int fd, @off_t long offset, int whence);

    int statx(int directory, String path, int flags, int mask, @size_t long address);

    int fcntl(int fd, int command, @size_t long address);

    String strerror(int errno);
  }

  /** What {@code statx} tells of an open file. */
  record Status(int mode, long device, long inode, long size, long allocatedBytes) {
    private static final int TYPE_MASK = 0xf000;

    boolean isRegularFile() {
      return (mode & TYPE_MASK) == 0x8000;
    }

    boolean isBlockDevice() {
      return (mode & TYPE_MASK) == 0x6000;
    }

    boolean isDirectory() {
      return (mode & TYPE_MASK) == 0x4000;
    }
  }

  static int open(String path, int flags) throws HostIoException {
    int fd;
    do {
      fd = LIBC.open(path, flags, 0);
    } while (fd < 0 && RUNTIME.getLastError() == EINTR);
    if (fd < 0) {
      throw failure("open");
    }
    return fd;
  }

  static void close(int fd) throws HostIoException {
    if (LIBC.close(fd) < 0 && RUNTIME.getLastError() != EINTR) {
      throw failure("close");
    }
  }

  /**
   * Reads into the direct buffer's remaining bytes and advances its position.
   *
   * @return how many bytes were read; 0 at the end of the file
   */
  static int pread(int fd, ByteBuffer direct, long offset) throws HostIoException {
    int position = direct.position();
    long address = MEMORY.getDirectBufferAddress(direct) + position;
    long count;
    do {
      count = LIBC.pread(fd, address, direct.remaining(), offset);
    } while (count < 0 && RUNTIME.getLastError() == EINTR);
    if (count < 0) {
      throw failure("read");
    }
    direct.position(position + (int) count);
    return (int) count;
  }

  /** The new offset, or -1 for ENXIO: there is neither data nor a hole behind the offset. */
  static long lseek(int fd, long offset, int whence) throws HostIoException {
    long found = LIBC.lseek(fd, offset, whence);
    if (found < 0) {
      if (RUNTIME.getLastError() == ENXIO) {
        return -1;
      }
      throw failure("lseek");
    }
    return found;
  }

  static Status status(int fd) throws HostIoException {
    ByteBuffer buffer = nativeBuffer(STATX_BYTES);
    if (LIBC.statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, MEMORY.getDirectBufferAddress(buffer))
        < 0) {
      throw failure("stat");
    }
    long device = ((long) buffer.getInt(136) << 32) | (buffer.getInt(140) & 0xffff_ffffL);
    return new Status(
        buffer.getShort(28) & 0xffff,
        device,
        buffer.getLong(32),
        buffer.getLong(40),
        Math.multiplyExact(buffer.getLong(48), 512L));
  }

  /**
   * Takes a shared lock of one byte for the open file description.
   *
   * @return false where another holds an exclusive lock on it
   */
  static boolean lockShared(int fd, long offset) throws HostIoException {
    ByteBuffer flock = flock(F_RDLCK, offset);
    if (LIBC.fcntl(fd, F_OFD_SETLK, MEMORY.getDirectBufferAddress(flock)) < 0) {
      int errno = RUNTIME.getLastError();
      if (errno == EAGAIN || errno == EACCES) {
        return false;
      }
      throw failure("lock");
    }
    return true;
  }

  /** Whether another open file description holds a lock on the byte. */
  static boolean isLockedByAnother(int fd, long offset) throws HostIoException {
    ByteBuffer flock = flock(F_WRLCK, offset);
    if (LIBC.fcntl(fd, F_OFD_GETLK, MEMORY.getDirectBufferAddress(flock)) < 0) {
      throw failure("test of a lock");
    }
    return flock.getShort(0) != F_UNLCK;
  }

  private static ByteBuffer flock(short type, long offset) {
    ByteBuffer flock = nativeBuffer(FLOCK_BYTES);
    flock.putShort(0, type);
    flock.putLong(8, offset);
    flock.putLong(16, 1);
    return flock;
  }

  private static ByteBuffer nativeBuffer(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(java.nio.ByteOrder.nativeOrder());
  }

  private static HostIoException failure(String act) {
    int errno = RUNTIME.getLastError();
    return new HostIoException(errno, act + " failed: " + LIBC.strerror(errno));
  }
}
