package org.qcowfs.mapping;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.alloc.HostSpace;
import org.qcowfs.alloc.MetadataClusters.Kind;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.format.Limits;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.mapping.GuestWriter.BackingExtent;

/**
 * Changes the virtual size of a disk. The size itself is one write of the header's sector; before
 * it, everything is made ready for the new size, so that a crash leaves a disk of either size.
 *
 * <p>Thread rules: one at a time; reads and writes may go on.
 */
final class DiskResize {
  private final WriteContext context;
  private final GuestZeroer zeroer;
  private final MetadataFlusher flusher;
  private final BackingExtent backing;

  DiskResize(
      WriteContext context, GuestZeroer zeroer, MetadataFlusher flusher, BackingExtent backing) {
    this.context = context;
    this.zeroer = zeroer;
    this.flusher = flusher;
    this.backing = backing;
  }

  void grow(long oldSize, long newSize) throws IOException {
    ClusterGeometry geometry = context.geometry();
    long entries = geometry.l1EntriesFor(newSize);
    if (entries * Long.BYTES > Limits.L1_TABLE_BYTES) {
      throw new UnsupportedFeatureException(
          "a disk of %d bytes needs an L1 table of more than 32 MiB".formatted(newSize));
    }
    if (entries > context.l1Table().length()) {
      growL1Table((int) entries);
    }
    if (context.dataFileRaw()) {
      context.guestData().resize(newSize);
    }
    // Behind the old end lie the rest of its cluster, and what the backing file has there.
    long clusterEnd = geometry.clusterStart(oldSize + geometry.clusterBytes() - 1);
    long zeroEnd = Math.min(newSize, Math.max(clusterEnd, backing.end()));
    if (zeroEnd > oldSize) {
      zeroer.zero(oldSize, zeroEnd - oldSize, true, newSize);
    }
    switchSize(newSize);
  }

  void shrink(long oldSize, long newSize) throws IOException {
    zeroer.zero(newSize, oldSize - newSize, true, oldSize);
    switchSize(newSize);
  }

  /** Cuts off what a raw data file has behind the end of the disk. */
  void fitDataFile(long size) throws IOException {
    if (context.dataFileRaw() && context.guestData().size() > size) {
      context.guestData().resize(size);
    }
  }

  private void switchSize(long newSize) throws IOException {
    flusher.flushToOs();
    context.clock().settle(context.clock().ticket());
    context.metadataLock().lock();
    try {
      context.header().setVirtualSizeLocked(newSize);
    } finally {
      context.metadataLock().unlock();
    }
    context.clock().settle(context.clock().ticket());
  }

  private void growL1Table(int entries) throws IOException {
    context.metadataLock().lock();
    try {
      ClusterGeometry geometry = context.geometry();
      long bytes = wholeClusters((long) entries * Long.BYTES);
      HostSpace.Allocation place =
          context.space().allocateContiguousLocked((int) (bytes >>> geometry.clusterBits()));
      L1Table table = context.l1Table();
      long unused = place.hostOffset();
      long unusedBytes = bytes;
      try {
        context.space().secureSpace(place.hostOffset(), bytes);
        context.space().metadata().addLocked(Kind.L1_TABLE, place.hostOffset(), bytes);
        long old = table.hostOffsetLocked();
        long oldBytes = wholeClusters((long) table.length() * Long.BYTES);
        moveL1Table(entries, place);
        unused = old;
        unusedBytes = oldBytes;
      } finally {
        if (unusedBytes > 0) {
          context.space().metadata().giveUpLocked(unused, unusedBytes);
          context.freed().addLocked(unused, unusedBytes);
        }
      }
    } finally {
      context.metadataLock().unlock();
    }
  }

  private long wholeClusters(long bytes) {
    int clusterBytes = context.geometry().clusterBytes();
    return bytes + clusterBytes - 1 & -clusterBytes;
  }

  private void moveL1Table(int entries, HostSpace.Allocation place) throws IOException {
    L1Table table = context.l1Table();
    L1Table.Copies modified = table.copyLocked();
    boolean moved = false;
    try {
      // The copy holds every entry, so what those require must be durable before it counts.
      context.clock().settle(modified.requiredTicket());
      long[] longer = table.longerLocked(entries);
      ByteBuffer buffer = ByteBuffer.allocateDirect(entries * Long.BYTES);
      buffer.asLongBuffer().put(longer);
      context.image().write(buffer, place.hostOffset());
      context.clock().settle(Math.max(place.ticket(), context.clock().ticket()));
      context.header().setL1TableLocked(place.hostOffset(), entries);
      table.replaceLocked(longer, place.hostOffset());
      moved = true;
    } finally {
      if (!moved) {
        table.failedLocked(modified);
      }
    }
  }
}
