package org.qcowfs.image;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * An open image with its backing chain. Opened by {@link Images#open}; {@link #close} releases
 * every host file and lock of the chain.
 *
 * <p>Thread rules: as {@link BlockDevice}. No device of an image may be used once it is closed.
 */
public interface Image extends Closeable {
  /** The active disk, or the one internal snapshot that the image was opened at. */
  BlockDevice disk();

  /** The internal snapshots in the order of the snapshot table; empty for a raw image. */
  List<InternalSnapshot> snapshots();

  /**
   * The disk as it was when the internal snapshot was taken. Devices are opened once and shared.
   *
   * @throws IOException when the snapshot has a {@link InternalSnapshot#problem()} or its L1 table
   *     cannot be read
   */
  BlockDevice openSnapshot(InternalSnapshot snapshot) throws IOException;

  /**
   * What is known of the image file; its {@code actualBytes} are asked of the host at each call.
   */
  ImageInfo info() throws IOException;

  /**
   * Why nothing is written to the image any more, for one that was opened for writing: a flush that
   * the host failed, a file that somebody cut off, or metadata that cannot be right. Reads go on,
   * and every change, flush and the close fail with this message.
   */
  default Optional<String> writeStop() {
    return Optional.empty();
  }

  /** The cache mode in force; empty where the image is only read. */
  Optional<CacheMode> cacheMode();

  /**
   * Switches the cache mode of an image in use, after a flush of what the new mode promises.
   *
   * @throws org.qcowfs.error.ReadOnlyImageException when the image is only read
   * @throws IOException when the flush fails, or the host has no O_DIRECT for the file
   */
  void setCacheMode(CacheMode mode) throws IOException;

  /**
   * Writes what is still to be written, leaves the image file clean, and releases files and locks.
   *
   * @throws IOException when something could not be written; files and locks are released all the
   *     same
   */
  @Override
  void close() throws IOException;
}
