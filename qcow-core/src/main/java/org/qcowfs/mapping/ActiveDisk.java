package org.qcowfs.mapping;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.qcowfs.alloc.HeaderSector;
import org.qcowfs.alloc.MetadataClusters;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.format.Features;
import org.qcowfs.format.Header;
import org.qcowfs.mapping.GuestWriter.BackingExtent;

/**
 * The active disk of a qcow2 file that is open for writing.
 *
 * <p>What survives: a write that returned survives the death of this process once {@link
 * #flushToOs} has returned, and a power loss once {@link #flushToDisk} has. Until then each sector
 * shows its old or its new bytes. Nothing of the file changes before the first write.
 *
 * <p>Thread rules: reads, writes, zeroing and flushes may be called by any number of threads;
 * resize and close by one at a time.
 */
public final class ActiveDisk {
  private static final int SECTOR_BYTES = 512;

  /**
   * A structure of the image that shares its clusters with nothing.
   *
   * @param kind what it is
   * @param bytes its length; the rest of its last cluster holds nothing
   */
  public record Structure(MetadataClusters.Kind kind, long hostOffset, long bytes) {}

  private final WriteContext context;
  private final Header header;
  private final Qcow2Layer layer;
  private final GuestWriter writer;
  private final GuestZeroer zeroer;
  private final MetadataFlusher flusher;
  private final BackingExtent backing;
  private final CorruptionStop corruption;

  /** Refcounts may be wrong in the file from the first change until the close. */
  private final boolean lazyRefcounts;

  private volatile boolean changed;
  private volatile long size;

  /**
   * @param backingEnd guest offset behind the last byte of the backing file; 0 where there is none
   * @param others structures that neither the header nor the refcount table nor the active L1 table
   *     names: those of internal snapshots and bitmaps
   * @throws ReadOnlyImageException when structures overlap each other, or lie past the end of the
   *     file, so that a write could destroy one
   * @throws UnsupportedFeatureException when the image cannot be written as the settings say
   */
  public ActiveDisk(
      Qcow2Layer.Files files,
      Header header,
      L1Table l1Table,
      Qcow2Layer.Caches caches,
      BackingSource backing,
      long backingEnd,
      WriteSettings settings,
      List<Structure> others)
      throws IOException {
    this.header = header;
    this.lazyRefcounts = settings.lazyRefcounts().orElse(header.lazyRefcounts());
    if (lazyRefcounts && header.version() < 3) {
      throw new UnsupportedFeatureException(
          "lazy refcounts need an image of version 3, this one has version 2; leave lazy_refcounts"
              + " out, or convert the image with qemu-img amend -o compat=1.1");
    }
    this.layer = new Qcow2Layer(files, header, l1Table, caches, backing);
    this.context = WriteContext.open(files, header, l1Table, caches, settings, others);
    this.corruption = new CorruptionStop(context);
    this.backing = () -> backingEnd;
    this.writer = new GuestWriter(context, layer, this.backing, () -> size);
    this.zeroer = new GuestZeroer(context, layer, writer, this.backing);
    this.flusher = new MetadataFlusher(context, settings.punchFreed());
    this.size = header.virtualSize();
  }

  /** As the image says, with the usual settings. */
  public ActiveDisk(
      Qcow2Layer.Files files,
      Header header,
      L1Table l1Table,
      Qcow2Layer.Caches caches,
      BackingSource backing,
      long backingEnd)
      throws IOException {
    this(files, header, l1Table, caches, backing, backingEnd, WriteSettings.defaults(), List.of());
  }

  /** Whether dependent metadata waits for stable media; without, its order is all there is. */
  public void setBarriers(boolean value) {
    context.clock().setBarriers(value);
  }

  /** Virtual size in bytes. */
  public long size() {
    return size;
  }

  /** As {@link Qcow2Layer#read}. */
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    int slot = context.gate().enter();
    try {
      layer.read(destination, guestOffset);
    } catch (CorruptImageException e) {
      throw corruption.met(e);
    } finally {
      context.gate().leave(slot);
    }
  }

  /** As {@link Qcow2Layer#lookup}. */
  public void lookup(long guestOffset, long maxLength, MappedRun run) throws IOException {
    try {
      layer.lookup(guestOffset, maxLength, run);
    } catch (CorruptImageException e) {
      throw corruption.met(e);
    }
  }

  /** Writes the source's remaining bytes; the range lies in the disk. */
  public void write(ByteBuffer source, long guestOffset) throws IOException {
    try {
      prepareChange();
      writer.write(source, guestOffset);
      relieveCache();
    } catch (CorruptImageException e) {
      throw corruption.met(e);
    }
  }

  /**
   * Makes a range read as zeros.
   *
   * @param unmap free the clusters; else clusters that have a place keep it
   */
  public void zero(long guestOffset, long length, boolean unmap) throws IOException {
    watched(
        () -> {
          prepareChange();
          zeroer.zero(guestOffset, length, unmap, size);
          relieveCache();
        });
  }

  /** Makes sure that a range has space on the host, and reads as it did. */
  public void allocate(long guestOffset, long length) throws IOException {
    watched(
        () -> {
          prepareChange();
          writer.allocate(guestOffset, length);
          relieveCache();
        });
  }

  /** A part of a request. */
  @FunctionalInterface
  private interface Step {
    void take() throws IOException;
  }

  private void watched(Step step) throws IOException {
    try {
      step.take();
    } catch (CorruptImageException e) {
      throw corruption.met(e);
    }
  }

  private void relieveCache() throws IOException {
    if (context.l2Cache().isUnderPressure()) {
      flusher.flushToOs();
    }
  }

  /**
   * Before a change: the file must be as long as it was left. Before the first one: what the image
   * says of itself must not become a lie.
   */
  private void prepareChange() throws IOException {
    context.space().checkWhole();
    if (changed) {
      return;
    }
    context.metadataLock().lock();
    try {
      if (changed) {
        return;
      }
      HeaderSector sector = context.header();
      long kept = Features.AUTOCLEAR_DATA_FILE_RAW;
      if ((sector.autoclearLocked() & ~kept) != 0) {
        sector.keepAutoclearLocked(kept);
        context.clock().settle(context.clock().ticket());
      }
      if (lazyRefcounts != header.lazyRefcounts()) {
        sector.setLazyRefcountsLocked(lazyRefcounts);
        context.clock().settle(context.clock().ticket());
      }
      if (lazyRefcounts) {
        sector.setDirtyLocked(true);
        context.clock().settle(context.clock().ticket());
        context.space().setRefcountsPostponedLocked(true);
      }
      changed = true;
    } finally {
      context.metadataLock().unlock();
    }
  }

  /** As {@link org.qcowfs.cache.DurabilityClock#checkSound}. */
  public void checkSound() throws IOException {
    context.clock().checkSound();
  }

  /** Flush-to-OS: afterwards the image survives the death of this process. */
  public void flushToOs() throws IOException {
    checkSound();
    if (changed) {
      watched(flusher::flushToOs);
    }
  }

  /** Flush-to-disk: afterwards the image also survives a power loss. */
  public void flushToDisk() throws IOException {
    checkSound();
    if (changed) {
      watched(flusher::flushToDisk);
    }
  }

  /**
   * Changes the virtual size. What is cut off is gone; what is added reads as zeros.
   *
   * <p>After a crash the disk has the old or the new size. After a failure it has the old one; what
   * was to be cut off may read as zeros.
   *
   * @throws IllegalArgumentException when the size is not a multiple of 512: other programs would
   *     not see the rest
   * @throws UnsupportedFeatureException when internal snapshots would change their size too
   */
  public synchronized void resize(long bytes) throws IOException {
    if (bytes < 0 || bytes % SECTOR_BYTES != 0) {
      throw new IllegalArgumentException(bytes + " bytes are not a multiple of 512");
    }
    if (header.version() < 3 && header.snapshotCount() > 0 && bytes != size) {
      throw new UnsupportedFeatureException(
          "the disk cannot be resized: in an image of version 2 the internal snapshots have no size"
              + " of their own; convert the image with qemu-img amend -o compat=1.1");
    }
    watched(
        () -> {
          prepareChange();
          resizeTo(bytes);
        });
  }

  private void resizeTo(long bytes) throws IOException {
    DiskResize resize = new DiskResize(context, zeroer, flusher, backing);
    long old = size;
    boolean resized = false;
    try {
      if (bytes > old) {
        resize.grow(old, bytes);
      } else if (bytes < old) {
        size = bytes;
        resize.shrink(old, bytes);
      }
      size = bytes;
      resized = true;
    } finally {
      if (!resized) {
        stayAt(old);
      }
    }
    resize.fitDataFile(bytes);
  }

  /** After a resize that failed: the disk and, before anything else is flushed, the header. */
  private void stayAt(long bytes) {
    context.metadataLock().lock();
    try {
      size = bytes;
      context.header().takeBackVirtualSizeLocked(bytes);
    } finally {
      context.metadataLock().unlock();
    }
  }

  /**
   * Brings everything to the file, gives reserved clusters back, and leaves the image clean.
   *
   * @throws IOException when that did not succeed: the image is whole, but may have lost what was
   *     not flushed, and leak clusters
   */
  public synchronized void close() throws IOException {
    checkSound();
    if (!changed) {
      return;
    }
    watched(this::leaveClean);
    changed = false;
  }

  private void leaveClean() throws IOException {
    flusher.flushToOs();
    context.clock().settle(context.clock().ticket());
    flusher.flushToOs();
    context.metadataLock().lock();
    try {
      context.space().closeLocked();
      context.clock().settle(context.clock().ticket());
      context.space().forgetLeaksLocked();
      if (lazyRefcounts) {
        context.header().setDirtyLocked(false);
        context.clock().settle(context.clock().ticket());
      }
    } finally {
      context.metadataLock().unlock();
    }
  }

  /** Whether the image has been marked corrupt since it was opened. */
  public boolean isMarkedCorrupt() {
    return corruption.isMarked();
  }
}
