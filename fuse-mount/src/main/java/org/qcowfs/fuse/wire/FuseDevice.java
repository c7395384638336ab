package org.qcowfs.fuse.wire;

import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;

/**
 * The descriptor by which the kernel hands out requests and takes answers. Any number of threads;
 * each request goes to one of them.
 */
public final class FuseDevice {
  private static final int ENOENT = 2;
  private static final int EINTR = 4;
  private static final int EAGAIN = 11;
  private static final int ENODEV = 19;

  private static final DeviceCalls CALLS =
      LibraryLoader.create(DeviceCalls.class).failImmediately().load("c");
  private static final Runtime RUNTIME = Runtime.getRuntime(CALLS);

  private final int fd;

  /**
   * @param fd open and mounted; stays the caller's
   */
  public FuseDevice(int fd) {
    this.fd = fd;
  }

  /** Loads the native calls, as the first use of this class would. */
  public static void load() {}

  /**
   * Waits for a request.
   *
   * @return its size, 0 when the filesystem was unmounted, or a negative error number
   */
  int receive(long buffer, int bytes) {
    while (true) {
      long received = CALLS.read(fd, buffer, bytes);
      if (received >= 0) {
        return (int) received;
      }
      int errno = RUNTIME.getLastError();
      if (errno == ENODEV) {
        return 0;
      }
      // not known: the request was taken back before it was read
      if (errno != EINTR && errno != EAGAIN && errno != ENOENT) {
        return -errno;
      }
    }
  }

  /**
   * Hands an answer to the kernel.
   *
   * @param vectors address of {@code struct iovec}s
   * @return 0 or a negative error number; {@code -ENOENT} when nobody waits for the answer any more
   */
  public int send(long vectors, int count) {
    while (CALLS.writev(fd, vectors, count) < 0) {
      int errno = RUNTIME.getLastError();
      if (errno != EINTR && errno != EAGAIN) {
        return -errno;
      }
    }
    return 0;
  }
}
