package org.qcowfs.mapping;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.format.L2Entry;
import org.qcowfs.format.SubclusterBitmap;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.mapping.GuestWriter.BackingExtent;

/**
 * Makes ranges of the disk read as zeros: whole clusters by their entries, the rest by writing
 * zeros.
 *
 * <p>Thread rules: any number of threads. Clusters whose mapping changes are claimed.
 */
final class GuestZeroer {
  private static final int MAX_WRITE_BYTES = 1 << 20;

  private final WriteContext context;
  private final Qcow2Layer layer;
  private final GuestWriter writer;
  private final BackingExtent backing;

  GuestZeroer(WriteContext context, Qcow2Layer layer, GuestWriter writer, BackingExtent backing) {
    this.context = context;
    this.layer = layer;
    this.writer = writer;
    this.backing = backing;
  }

  /**
   * Makes the range read as zeros.
   *
   * @param unmap free the clusters; else clusters that have a place keep it
   * @param diskEnd the virtual size: a last cluster that is covered up to there is covered whole
   */
  void zero(long guestOffset, long length, boolean unmap, long diskEnd) throws IOException {
    ClusterGeometry geometry = context.geometry();
    long end = guestOffset + length;
    long wholeStart = geometry.clusterStart(guestOffset + geometry.clusterBytes() - 1);
    long wholeEnd =
        end == diskEnd
            ? geometry.clusterStart(end + geometry.clusterBytes() - 1)
            : geometry.clusterStart(end);
    if (wholeStart >= wholeEnd) {
      writeZeros(guestOffset, end);
      return;
    }
    writeZeros(guestOffset, wholeStart);
    zeroClusters(wholeStart, wholeEnd, unmap, diskEnd);
    writeZeros(Math.min(wholeEnd, end), end);
  }

  /** Writes zeros where anything else could be read. */
  private void writeZeros(long start, long end) throws IOException {
    MappedRun run = new MappedRun();
    long offset = start;
    while (offset < end) {
      layer.lookup(offset, Math.min(end - offset, MAX_WRITE_BYTES), run);
      long runEnd = offset + run.length();
      boolean zeroAlready =
          run.kind().isZero() || (run.kind().isUnallocated() && offset >= backing.end());
      if (!zeroAlready) {
        ByteBuffer zeros = ByteBuffer.allocateDirect((int) run.length());
        writer.write(zeros, offset);
      }
      offset = runEnd;
    }
  }

  private void zeroClusters(long start, long end, boolean unmap, long diskEnd) throws IOException {
    if (context.dataFileRaw()) {
      zeroRawDataFile(start, Math.min(end, diskEnd), unmap);
      return;
    }
    long offset = start;
    while (offset < end) {
      long pieceEnd = Math.min(end, context.sliceEnd(offset));
      ClusterClaims.Claim claim = context.claims().claim(offset, pieceEnd);
      try {
        if (context.version() == 2 && offset < backing.end()) {
          // Version 2 knows no zero clusters, and freeing one would show the backing file.
          pieceEnd = Math.min(pieceEnd, offset + Math.max(MAX_WRITE_BYTES, clusterBytes()));
        } else {
          changeEntries(offset, pieceEnd, unmap);
          if (context.dataFile() && unmap) {
            // The place is fixed, so nobody else's data can come to lie there.
            context.guestData().punchHole(offset, pieceEnd - offset);
          }
          offset = pieceEnd;
        }
      } finally {
        claim.release();
      }
      if (offset < pieceEnd) {
        writeZeros(offset, Math.min(pieceEnd, diskEnd));
        offset = pieceEnd;
      }
    }
  }

  private int clusterBytes() {
    return context.geometry().clusterBytes();
  }

  /** The data file must be the disk without a look at any table, so its bytes must be zeros. */
  private void zeroRawDataFile(long start, long end, boolean unmap) throws IOException {
    if (unmap) {
      context.guestData().punchHole(start, end - start);
    } else {
      context.guestData().zeroRange(start, end - start);
    }
  }

  private void changeEntries(long start, long end, boolean unmap) throws IOException {
    context.metadataLock().lock();
    try {
      for (long offset = start; offset < end; offset += clusterBytes()) {
        OldCluster old = OldCluster.readLocked(context, offset);
        boolean nothingToSee = offset >= backing.end();
        if (!context.l2().hasTableLocked(offset) && nothingToSee) {
          continue;
        }
        boolean keepPlace = !unmap && old.hasOwnPlace(context) && context.version() >= 3;
        long entry = zeroEntry(old, keepPlace, nothingToSee);
        long bitmap =
            context.geometry().extendedL2() && (keepPlace || !nothingToSee)
                ? SubclusterBitmap.ALL_ZERO
                : 0;
        if (entry == old.entry() && bitmap == old.bitmap()) {
          continue;
        }
        context.l2().prepareTableLocked(offset);
        context.l2().setLocked(offset, entry, bitmap, 0);
        if (!keepPlace) {
          old.freeLocked(context);
        }
      }
    } finally {
      context.metadataLock().unlock();
    }
  }

  private long zeroEntry(OldCluster old, boolean keepPlace, boolean nothingToSee) {
    ClusterGeometry geometry = context.geometry();
    if (keepPlace) {
      long host = L2Entry.hostOffset(old.entry());
      return geometry.extendedL2() ? L2Entry.data(host) : L2Entry.zeroPreallocated(host);
    }
    return nothingToSee || geometry.extendedL2() ? L2Entry.UNALLOCATED : L2Entry.ZERO_PLAIN;
  }
}
