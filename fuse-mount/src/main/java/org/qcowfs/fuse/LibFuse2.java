package org.qcowfs.fuse;

import jnr.ffi.annotations.Delegate;
import jnr.ffi.annotations.In;
import jnr.ffi.types.off_t;
import jnr.ffi.types.size_t;
import ru.serce.jnrfuse.struct.FuseOperations;

/**
 * The session functions of libfuse 2.9 that jnr-fuse does not declare. Pointers are addresses.
 * Public because jnr-ffi implements it.
 *
 * <p>Only functions whose newest version a plain {@code dlsym} finds: {@code fuse_new} and {@code
 * fuse_main} would resolve to an ABI of 2005.
 */
public interface LibFuse2 {
  /**
   * Mounts and makes a session.
   *
   * @param mountpointOut address of a {@code char *}, to be handed to {@link #fuse_teardown}
   * @param multithreadedOut address of an {@code int}
   * @return the {@code struct fuse *}, or 0 after an error, which was printed on standard error
   */
  @size_t
  long fuse_setup(
      int argumentCount,
      @In String[] arguments,
      FuseOperations operations,
      @size_t long operationsBytes,
      @size_t long mountpointOut,
      @size_t long multithreadedOut,
      @size_t long userData);

  @size_t
  long fuse_get_session(@size_t long fuse);

  @size_t
  long fuse_session_next_chan(@size_t long session, @size_t long channel);

  /** The descriptor behind a channel. */
  int fuse_chan_fd(@size_t long channel);

  /**
   * Makes a channel.
   *
   * @param operations address of a {@code struct fuse_chan_ops}, which is copied: what receives,
   *     sends and destroys, each address or 0
   * @param bufferBytes how many bytes the largest request may have
   * @return the channel, or 0 where there is no memory for it
   */
  @size_t
  long fuse_chan_new(
      @size_t long operations, int fd, @size_t long bufferBytes, @size_t long userData);

  /** Frees a channel. */
  void fuse_chan_destroy(@size_t long channel);

  /** What libfuse sends an answer by. */
  interface Send {
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
  @size_t
  long fuse_chan_bufsize(@size_t long channel);

  /**
   * Waits for a request; its size, 0 when the filesystem was unmounted, or a negative error number.
   */
  int fuse_chan_recv(@size_t long channelInOut, @size_t long buffer, @size_t long bytes);

  void fuse_session_process(
      @size_t long session, @size_t long buffer, @size_t long bytes, @size_t long channel);

  /**
   * Makes the kernel write out and forget the pages of a file in a range.
   *
   * @return 0 or a negative error number
   */
  int fuse_lowlevel_notify_inval_inode(
      @size_t long channel, @size_t long node, @off_t long offset, @off_t long length);

  /** Makes every receiver end after its next request. */
  void fuse_session_exit(@size_t long session);

  /** Frees what {@link #fuse_setup} made, and unmounts where that has not happened. */
  void fuse_teardown(@size_t long fuse, @size_t long mountpoint);
}
