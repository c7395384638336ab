package org.qcowfs.fuse;

import static com.kenai.jffi.Type.POINTER;
import static com.kenai.jffi.Type.SINT32;
import static com.kenai.jffi.Type.SINT64;
import static com.kenai.jffi.Type.VOID;

import com.kenai.jffi.ArrayFlags;
import com.kenai.jffi.Function;
import com.kenai.jffi.HeapInvocationBuffer;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.MemoryIO;
import jnr.ffi.annotations.Delegate;
import jnr.ffi.types.size_t;
import org.qcowfs.fuse.wire.NativeLibrary;

/**
 * The session functions of libfuse 2.9 that jnr-fuse does not declare. Pointers are addresses. Any
 * number of threads.
 *
 * <p>Only functions whose newest version a plain {@code dlsym} finds: {@code fuse_new} and {@code
 * fuse_main} would resolve to an ABI of 2005.
 */
final class LibFuse2 {
  static final String FILE = "libfuse.so.2";

  private static final Invoker INVOKER = Invoker.getInstance();
  private static final MemoryIO MEMORY = MemoryIO.getInstance();
  private static final int POINTER_BYTES = 8;

  private final Function setup;
  private final Function getSession;
  private final Function nextChannel;
  private final Function channelFd;
  private final Function newChannel;
  private final Function destroyChannel;
  private final Function channelBufferBytes;
  private final Function receive;
  private final Function process;
  private final Function invalidate;
  private final Function exit;
  private final Function teardown;

  /**
   * @throws UnsatisfiedLinkError when it is missing or cannot be loaded
   */
  LibFuse2() {
    NativeLibrary library = new NativeLibrary(FILE);
    setup =
        library.function(
            "fuse_setup", POINTER, SINT32, POINTER, POINTER, SINT64, POINTER, POINTER, POINTER);
    getSession = library.function("fuse_get_session", POINTER, POINTER);
    nextChannel = library.function("fuse_session_next_chan", POINTER, POINTER, POINTER);
    channelFd = library.function("fuse_chan_fd", SINT32, POINTER);
    newChannel = library.function("fuse_chan_new", POINTER, POINTER, SINT32, SINT64, POINTER);
    destroyChannel = library.function("fuse_chan_destroy", VOID, POINTER);
    channelBufferBytes = library.function("fuse_chan_bufsize", SINT64, POINTER);
    receive = library.function("fuse_chan_recv", SINT32, POINTER, POINTER, SINT64);
    process = library.function("fuse_session_process", VOID, POINTER, POINTER, SINT64, POINTER);
    invalidate =
        library.function(
            "fuse_lowlevel_notify_inval_inode", SINT32, POINTER, SINT64, SINT64, SINT64);
    exit = library.function("fuse_session_exit", VOID, POINTER);
    teardown = library.function("fuse_teardown", VOID, POINTER, POINTER);
  }

  /**
   * Mounts and makes a session.
   *
   * @param operations the bytes of the {@code struct fuse_operations}
   * @param mountpointOut address of a {@code char *}, to be handed to {@link #teardown}
   * @param multithreadedOut address of an {@code int}
   * @return the {@code struct fuse *}, or 0 after an error, which was printed on standard error
   */
  long setup(String[] arguments, byte[] operations, long mountpointOut, long multithreadedOut) {
    long vector = MEMORY.allocateMemory((arguments.length + 1L) * POINTER_BYTES, true);
    try {
      for (int i = 0; i < arguments.length; i++) {
        MEMORY.putAddress(vector + (long) i * POINTER_BYTES, NativeLibrary.copy(arguments[i]));
      }
      HeapInvocationBuffer call = new HeapInvocationBuffer(setup);
      call.putInt(arguments.length);
      call.putAddress(vector);
      call.putArray(operations, 0, operations.length, ArrayFlags.IN);
      call.putLong(operations.length);
      call.putAddress(mountpointOut);
      call.putAddress(multithreadedOut);
      call.putAddress(0);
      return INVOKER.invokeAddress(setup, call);
    } finally {
      for (int i = 0; i < arguments.length; i++) {
        MEMORY.freeMemory(MEMORY.getAddress(vector + (long) i * POINTER_BYTES));
      }
      MEMORY.freeMemory(vector);
    }
  }

  long getSession(long fuse) {
    return INVOKER.invokeNrN(getSession, fuse);
  }

  /** The session's first channel. */
  long firstChannel(long session) {
    return INVOKER.invokeNNrN(nextChannel, session, 0);
  }

  /** The descriptor behind a channel. */
  int channelFd(long channel) {
    return (int) INVOKER.invokeNrN(channelFd, channel);
  }

  /**
   * Makes a channel.
   *
   * @param operations address of a {@code struct fuse_chan_ops}, which is copied: what receives,
   *     sends and destroys, each address or 0
   * @param bufferBytes how many bytes the largest request may have
   * @return the channel, or 0 where there is no memory for it
   */
  long newChannel(long operations, int fd, long bufferBytes) {
    return INVOKER.invokeNNNNrN(newChannel, operations, fd, bufferBytes, 0);
  }

  /** Frees a channel. */
  void destroyChannel(long channel) {
    INVOKER.invokeNrN(destroyChannel, channel);
  }

  /** What libfuse sends an answer by. Public because jnr-ffi implements it. */
  public interface Send {
    /**
     * Sends it.
     *
     * @param vectors address of {@code struct iovec}s
     * @return 0 or a negative error number
     */
    @Delegate
    int send(@size_t long channel, @size_t long vectors, @size_t long count);
  }

  /** How many bytes the largest request may have. */
  long channelBufferBytes(long channel) {
    return INVOKER.invokeNrN(channelBufferBytes, channel);
  }

  /**
   * Waits for a request; its size, 0 when the filesystem was unmounted, or a negative error number.
   *
   * @param channelInOut address of the channel's address
   */
  int receive(long channelInOut, long buffer, long bytes) {
    return (int) INVOKER.invokeNNNrN(receive, channelInOut, buffer, bytes);
  }

  void process(long session, long buffer, long bytes, long channel) {
    INVOKER.invokeNNNNrN(process, session, buffer, bytes, channel);
  }

  /**
   * Makes the kernel write out and forget the pages of a file in a range.
   *
   * @return 0 or a negative error number
   */
  int invalidate(long channel, long node, long offset, long length) {
    return (int) INVOKER.invokeNNNNrN(invalidate, channel, node, offset, length);
  }

  /** Makes every receiver end after its next request. */
  void exit(long session) {
    INVOKER.invokeNrN(exit, session);
  }

  /** Frees what {@link #setup} made, and unmounts where that has not happened. */
  void teardown(long fuse, long mountpoint) {
    INVOKER.invokeNNrN(teardown, fuse, mountpoint);
  }
}
