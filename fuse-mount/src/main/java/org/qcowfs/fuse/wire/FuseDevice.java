package org.qcowfs.fuse.wire;

import static com.kenai.jffi.Type.POINTER;
import static com.kenai.jffi.Type.SINT32;
import static com.kenai.jffi.Type.SINT64;

import com.kenai.jffi.Function;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;

/**
 * The descriptor by which the kernel hands out requests and takes answers. Any number of threads;
 * each request goes to one of them.
 */
public final class FuseDevice {
  private static final int ENOENT = 2;
  private static final int EINTR = 4;
  private static final int EAGAIN = 11;
  private static final int ENODEV = 19;

  private static final Invoker INVOKER = Invoker.getInstance();
  private static final LastError LAST_ERROR = LastError.getInstance();
  private static final NativeLibrary LIBRARY = NativeLibrary.ofSystem();
  private static final Function READ = LIBRARY.function("read", SINT64, SINT32, POINTER, SINT64);
  private static final Function WRITEV =
      LIBRARY.function("writev", SINT64, SINT32, POINTER, SINT32);

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
      long received = INVOKER.invokeNNNrN(READ, fd, buffer, bytes);
      if (received >= 0) {
        return (int) received;
      }
      int errno = LAST_ERROR.get();
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
    while (INVOKER.invokeNNNrN(WRITEV, fd, vectors, count) < 0) {
      int errno = LAST_ERROR.get();
      if (errno != EINTR && errno != EAGAIN) {
        return -errno;
      }
    }
    return 0;
  }
}
