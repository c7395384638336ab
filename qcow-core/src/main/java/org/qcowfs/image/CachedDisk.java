package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Optional;
import org.qcowfs.error.Qcow2Exception;

/**
 * A writable disk under a cache mode, which can be switched while the disk is in use.
 *
 * <p>Thread rules: as {@link BlockDevice}; a switch waits for nobody, and holds for what begins
 * after it returned.
 */
final class CachedDisk implements BlockDevice {
  private final java.nio.file.Path image;
  private final WritableDisk disk;
  private volatile CacheMode mode;

  CachedDisk(java.nio.file.Path image, WritableDisk disk, CacheMode mode) throws IOException {
    this.image = image;
    this.disk = disk;
    this.mode = mode;
    disk.prepareFor(mode);
  }

  CacheMode mode() {
    return mode;
  }

  /** Switches the mode, after a flush of what the new one promises of earlier writes. */
  synchronized void switchTo(CacheMode next) throws IOException {
    CacheMode old = mode;
    disk.prepareFor(next);
    mode = next;
    boolean flushed = false;
    try {
      flushAsFarAs(next.flushDepth());
      flushed = true;
    } finally {
      if (!flushed) {
        mode = old;
        disk.prepareFor(old);
      }
    }
  }

  @Override
  public long size() {
    return disk.size();
  }

  @Override
  public boolean isWritable() {
    return true;
  }

  @Override
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    Objects.checkFromIndexSize(guestOffset, destination.remaining(), size());
    try {
      disk.read(destination, guestOffset);
    } catch (Qcow2Exception e) {
      throw e.in(image);
    }
  }

  @Override
  public void extents(long guestOffset, long length, ExtentVisitor visitor) throws IOException {
    Objects.checkFromIndexSize(guestOffset, length, size());
    disk.extents(guestOffset, length, visitor);
  }

  /** As {@link Image#writeStop}. */
  Optional<String> writeStop() {
    try {
      disk.checkSound();
      return Optional.empty();
    } catch (IOException stopped) {
      return Optional.of(String.valueOf(stopped.getMessage()));
    }
  }

  /** What was known of the image when it was opened, with what has changed since. */
  ImageInfo updated(ImageInfo opened) {
    return opened.changedTo(size(), disk.isMarkedCorrupt(), writeStop());
  }

  /** A change of the disk. */
  @FunctionalInterface
  private interface Change {
    void make() throws IOException;
  }

  private void change(long guestOffset, long length, Change change) throws IOException {
    Objects.checkFromIndexSize(guestOffset, length, size());
    try {
      change.make();
      if (mode.flushesEachWrite()) {
        disk.flushToDisk();
      }
    } catch (Qcow2Exception e) {
      throw e.in(image);
    }
  }

  @Override
  public void write(ByteBuffer source, long guestOffset) throws IOException {
    change(guestOffset, source.remaining(), () -> disk.write(source, guestOffset));
  }

  @Override
  public void writeZeroes(long guestOffset, long length, ZeroMode zeroMode) throws IOException {
    change(guestOffset, length, () -> disk.zero(guestOffset, length, zeroMode));
  }

  @Override
  public void allocate(long guestOffset, long length) throws IOException {
    change(guestOffset, length, () -> disk.allocate(guestOffset, length));
  }

  @Override
  public void resize(long bytes) throws IOException {
    change(0, 0, () -> disk.resize(bytes));
  }

  /**
   * A guest's flush. Where each write was flushed before it was acknowledged nothing is left to do;
   * but once a flush-to-disk has failed, no flush succeeds in any mode.
   */
  @Override
  public void flush() throws IOException {
    flushAsFarAs(mode.flushesEachWrite() ? CacheMode.Flush.NOTHING : mode.flushDepth());
  }

  /** What a background flush does in this mode; nothing in {@code volatile}. */
  void flushInBackground() throws IOException {
    flushAsFarAs(mode.flushDepth());
  }

  private void flushAsFarAs(CacheMode.Flush depth) throws IOException {
    try {
      disk.checkSound();
      switch (depth) {
        case NOTHING -> {}
        case OS -> disk.flushToOs();
        case DISK -> disk.flushToDisk();
      }
    } catch (Qcow2Exception e) {
      throw e.in(image);
    }
  }

  /** Leaves the image file clean, and as durable as the mode promises. */
  void finish() throws IOException {
    try {
      disk.finish();
    } catch (Qcow2Exception e) {
      throw e.in(image);
    }
  }
}
