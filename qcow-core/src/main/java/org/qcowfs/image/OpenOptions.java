package org.qcowfs.image;

import java.nio.file.Path;
import java.util.Optional;
import org.qcowfs.storage.ImageLock;

/**
 * How to open an image.
 *
 * @param format the image's format where the user named one; never probed, see {@link Images#open}
 * @param backingFormat the format of a backing file whose image records none
 * @param references which further host files the image may name
 * @param snapshot name or ID of the internal snapshot to show as the disk
 * @param forceShare take no lock that another user of the image could be refused for
 * @param l2CacheBytes how much memory the L2 tables of one image may take, in bytes
 * @param trustedBacking real path of a file that the user named, and that may be a backing file
 *     wherever it lies
 * @param write how to write to the image; empty where it is only read
 */
public record OpenOptions(
    Optional<ImageFormat> format,
    Optional<ImageFormat> backingFormat,
    ReferencePolicy references,
    Optional<String> snapshot,
    boolean forceShare,
    long l2CacheBytes,
    Optional<Path> trustedBacking,
    Optional<WriteOptions> write) {
  /** Enough for 16 GiB of disk at 64 KiB clusters; a miss costs one read of 4 KiB. */
  public static final long DEFAULT_L2_CACHE_BYTES = 2 << 20;

  /** What holds where the user says nothing. */
  public static OpenOptions defaults() {
    return new OpenOptions(
        Optional.empty(),
        Optional.empty(),
        ReferencePolicy.sameDirectory(),
        Optional.empty(),
        false,
        DEFAULT_L2_CACHE_BYTES,
        Optional.empty(),
        Optional.empty());
  }

  public OpenOptions withFormat(ImageFormat value) {
    return new OpenOptions(
        Optional.of(value),
        backingFormat,
        references,
        snapshot,
        forceShare,
        l2CacheBytes,
        trustedBacking,
        write);
  }

  public OpenOptions withBackingFormat(ImageFormat value) {
    return new OpenOptions(
        format,
        Optional.of(value),
        references,
        snapshot,
        forceShare,
        l2CacheBytes,
        trustedBacking,
        write);
  }

  public OpenOptions withReferences(ReferencePolicy value) {
    return new OpenOptions(
        format, backingFormat, value, snapshot, forceShare, l2CacheBytes, trustedBacking, write);
  }

  public OpenOptions withSnapshot(String nameOrId) {
    return new OpenOptions(
        format,
        backingFormat,
        references,
        Optional.of(nameOrId),
        forceShare,
        l2CacheBytes,
        trustedBacking,
        write);
  }

  public OpenOptions withForceShare(boolean value) {
    return new OpenOptions(
        format, backingFormat, references, snapshot, value, l2CacheBytes, trustedBacking, write);
  }

  public OpenOptions withL2CacheBytes(long value) {
    return new OpenOptions(
        format, backingFormat, references, snapshot, forceShare, value, trustedBacking, write);
  }

  OpenOptions withTrustedBacking(Path value) {
    return new OpenOptions(
        format,
        backingFormat,
        references,
        snapshot,
        forceShare,
        l2CacheBytes,
        Optional.of(value),
        write);
  }

  /** Open for writing. */
  public OpenOptions withWrite(WriteOptions value) {
    return new OpenOptions(
        format,
        backingFormat,
        references,
        snapshot,
        forceShare,
        l2CacheBytes,
        trustedBacking,
        Optional.of(value));
  }

  /** The same, without writing. */
  OpenOptions forReading() {
    return new OpenOptions(
        format,
        backingFormat,
        references,
        snapshot,
        forceShare,
        l2CacheBytes,
        trustedBacking,
        Optional.empty());
  }

  /** How a file of the chain is used. */
  ImageLock lock(boolean writable) {
    return writable ? ImageLock.READ_WRITE : forceShare ? ImageLock.READ_SHARED : ImageLock.READ;
  }
}
