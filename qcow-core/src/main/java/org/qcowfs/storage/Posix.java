package org.qcowfs.storage;

import com.kenai.jffi.MemoryIO;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Set;
import org.qcowfs.error.HostIoException;

/**
 * The native calls of the engine, and the only class that makes any. Thin: a failed call becomes a
 * {@link HostIoException} that carries the error number, an interrupted one is made again.
 *
 * <p>Constants and layouts are those of Linux on 64-bit little-endian machines.
 */
final class Posix {
  static final int O_RDONLY = 0;
  static final int O_RDWR = 2;
  static final int O_NONBLOCK = 0x800;
  static final int O_CLOEXEC = 0x80000;

  /** Only holds on to a file; it can be looked at, and opened from there. */
  static final int O_PATH = 0x200000;

  /** The one flag whose value is not the same on all machines. */
  static final int O_DIRECT =
      System.getProperty("os.arch", "").equals("aarch64") ? 0x10000 : 0x4000;

  static final int SEEK_END = 2;
  static final int SEEK_DATA = 3;
  static final int SEEK_HOLE = 4;

  /** With it, {@code fallocate} leaves the file's size alone. */
  static final int FALLOC_FL_KEEP_SIZE = 1;

  static final int FALLOC_FL_PUNCH_HOLE = 2;
  static final int FALLOC_FL_ZERO_RANGE = 0x10;

  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int EIO = 5;
  static final int ENXIO = 6;
  static final int EBADF = 9;
  static final int EAGAIN = 11;
  static final int EACCES = 13;
  static final int EINVAL = 22;
  static final int EFBIG = 27;
  static final int ENOSPC = 28;
  static final int EROFS = 30;
  static final int ENOSYS = 38;
  static final int EOPNOTSUPP = 95;

  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int STATX_DIOALIGN = 0x2000;
  private static final int IOVEC_BYTES = 16;
  private static final int IOVEC_COUNT_MAX = 256;

  /** What {@code statfs} calls the file systems whose files are questions to the kernel. */
  private static final Set<Long> KERNEL_INTERFACES =
      Set.of(
          0x9fa0L, // proc
          0x62656572L, // sysfs
          0x64626720L, // debugfs
          0x74726163L, // tracefs
          0x73636673L, // securityfs
          0x62656570L, // configfs
          0x27e0ebL, // cgroup
          0x63677270L); // cgroup2

  private static final int F_GETFL = 3;
  private static final int F_SETFL = 4;

  private static final int F_OFD_GETLK = 36;
  private static final int F_OFD_SETLK = 37;
  private static final int FLOCK_BYTES = 32;
  private static final short F_RDLCK = 0;
  private static final short F_WRLCK = 1;
  private static final short F_UNLCK = 2;

  private static final MemoryIO MEMORY = MemoryIO.getInstance();

  /** For the structures that a call takes or fills; free again when the call is over. */
  private static final ThreadLocal<ByteBuffer> SCRATCH =
      ThreadLocal.withInitial(
          () ->
              ByteBuffer.allocateDirect(IOVEC_BYTES * IOVEC_COUNT_MAX)
                  .order(ByteOrder.nativeOrder()));

  private Posix() {}

  /** Loads the calls, as the first one would. */
  static void load() {
    LibC.load();
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
      fd = LibC.open(path, flags, 0);
    } while (fd < 0 && LibC.errno() == EINTR);
    if (fd < 0) {
      throw failure("open");
    }
    return fd;
  }

  static void close(int fd) throws HostIoException {
    if (LibC.close(fd) < 0 && LibC.errno() != EINTR) {
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
    long address = address(direct);
    long count;
    do {
      count = LibC.pread(fd, address, direct.remaining(), offset);
    } while (count < 0 && LibC.errno() == EINTR);
    if (count < 0) {
      throw failure("read");
    }
    direct.position(position + (int) count);
    return (int) count;
  }

  /**
   * Writes from the direct buffer's remaining bytes and advances its position.
   *
   * @return how many bytes were written; fewer than remain, where the host would not take all
   */
  static int pwrite(int fd, ByteBuffer direct, long offset) throws HostIoException {
    int position = direct.position();
    long address = address(direct);
    long count;
    do {
      count = LibC.pwrite(fd, address, direct.remaining(), offset);
    } while (count < 0 && LibC.errno() == EINTR);
    if (count < 0) {
      throw failure("write");
    }
    direct.position(position + (int) count);
    return (int) count;
  }

  /**
   * Writes from the remaining bytes of direct buffers, one after the other, and advances their
   * positions. Takes as many buffers as one call can.
   *
   * @param first the first buffer that may have something left
   * @return how many bytes were written
   */
  static long pwritev(int fd, ByteBuffer[] direct, int first, long offset) throws HostIoException {
    ByteBuffer vectors = SCRATCH.get();
    int used = 0;
    for (int i = first; i < direct.length && used < IOVEC_COUNT_MAX; i++) {
      vectors.putLong(used * IOVEC_BYTES, address(direct[i]));
      vectors.putLong(used * IOVEC_BYTES + 8, direct[i].remaining());
      used++;
    }
    long address = MEMORY.getDirectBufferAddress(vectors);
    long count;
    do {
      count = LibC.pwritev(fd, address, used, offset);
    } while (count < 0 && LibC.errno() == EINTR);
    if (count < 0) {
      throw failure("write");
    }
    advance(direct, first, count);
    return count;
  }

  private static void advance(ByteBuffer[] buffers, int first, long bytes) {
    long left = bytes;
    for (int i = first; left > 0; i++) {
      int taken = (int) Math.min(left, buffers[i].remaining());
      buffers[i].position(buffers[i].position() + taken);
      left -= taken;
    }
  }

  /** Where the direct buffer's next byte lies in memory. */
  static long address(ByteBuffer direct) {
    return MEMORY.getDirectBufferAddress(direct) + direct.position();
  }

  static void fdatasync(int fd) throws HostIoException {
    int result;
    do {
      result = LibC.fdatasync(fd);
    } while (result < 0 && LibC.errno() == EINTR);
    if (result < 0) {
      throw failure("flush to disk");
    }
  }

  static void ftruncate(int fd, long bytes) throws HostIoException {
    int result;
    do {
      result = LibC.ftruncate(fd, bytes);
    } while (result < 0 && LibC.errno() == EINTR);
    if (result < 0) {
      throw failure("resize");
    }
  }

  static void fallocate(int fd, int mode, long offset, long bytes) throws HostIoException {
    int result;
    do {
      result = LibC.fallocate(fd, mode, offset, bytes);
    } while (result < 0 && LibC.errno() == EINTR);
    if (result < 0) {
      throw failure(
          switch (mode) {
            case 0 -> "allocation of space";
            case FALLOC_FL_ZERO_RANGE -> "write of zeros";
            default -> "release of space";
          });
    }
  }

  /** Sets or clears flags of the open file, such as {@link #O_DIRECT}. */
  static void setFlags(int fd, int flags, boolean on) throws HostIoException {
    int old = LibC.fcntl(fd, F_GETFL, 0);
    if (old < 0 || LibC.fcntl(fd, F_SETFL, on ? old | flags : old & ~flags) < 0) {
      throw failure("change of the open file's flags");
    }
  }

  /** The new offset, or -1 for ENXIO: there is neither data nor a hole behind the offset. */
  static long lseek(int fd, long offset, int whence) throws HostIoException {
    long found = LibC.lseek(fd, offset, whence);
    if (found < 0) {
      if (LibC.errno() == ENXIO) {
        return -1;
      }
      throw failure("lseek");
    }
    return found;
  }

  static Status status(int fd) throws HostIoException {
    ByteBuffer buffer = statx(fd, STATX_BASIC_STATS);
    long device = ((long) buffer.getInt(136) << 32) | (buffer.getInt(140) & 0xffff_ffffL);
    return new Status(
        buffer.getShort(28) & 0xffff,
        device,
        buffer.getLong(32),
        buffer.getLong(40),
        Math.multiplyExact(buffer.getLong(48), 512L));
  }

  /** Whether the file is no stored bytes but a way to ask or command the kernel. */
  static boolean isKernelInterface(int fd) throws HostIoException {
    ByteBuffer buffer = SCRATCH.get();
    if (LibC.fstatfs(fd, MEMORY.getDirectBufferAddress(buffer)) < 0) {
      throw failure("statfs");
    }
    return KERNEL_INTERFACES.contains(buffer.getLong(0));
  }

  /** What O_DIRECT asks of memory and of offsets and lengths, as far as the kernel tells. */
  static DirectAlignment directAlignment(int fd) throws HostIoException {
    ByteBuffer buffer = statx(fd, STATX_DIOALIGN);
    return (buffer.getInt(0) & STATX_DIOALIGN) == 0
        ? DirectAlignment.PAGE
        : new DirectAlignment(buffer.getInt(152), buffer.getInt(156));
  }

  private static ByteBuffer statx(int fd, int mask) throws HostIoException {
    ByteBuffer buffer = SCRATCH.get();
    if (LibC.statx(fd, AT_EMPTY_PATH, mask, MEMORY.getDirectBufferAddress(buffer)) < 0) {
      throw failure("stat");
    }
    return buffer;
  }

  /** Takes a shared lock of one byte for the open file description; false if another forbids it. */
  static boolean lockShared(int fd, long offset) throws HostIoException {
    ByteBuffer flock = flock(F_RDLCK, offset);
    if (LibC.fcntl(fd, F_OFD_SETLK, MEMORY.getDirectBufferAddress(flock)) < 0) {
      int errno = LibC.errno();
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
    if (LibC.fcntl(fd, F_OFD_GETLK, MEMORY.getDirectBufferAddress(flock)) < 0) {
      throw failure("test of a lock");
    }
    return flock.getShort(0) != F_UNLCK;
  }

  private static ByteBuffer flock(short type, long offset) {
    ByteBuffer flock = SCRATCH.get();
    for (int i = 0; i < FLOCK_BYTES; i += Long.BYTES) {
      flock.putLong(i, 0);
    }
    flock.putShort(0, type);
    flock.putLong(8, offset);
    flock.putLong(16, 1);
    return flock;
  }

  /** The host's words for an error number. */
  static String describe(int errno) {
    return LibC.strerror(errno);
  }

  private static HostIoException failure(String act) {
    int errno = LibC.errno();
    return new HostIoException(errno, act + " failed: " + describe(errno));
  }
}
