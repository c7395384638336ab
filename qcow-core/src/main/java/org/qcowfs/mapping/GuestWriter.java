package org.qcowfs.mapping;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.qcowfs.alloc.HostSpace;
import org.qcowfs.alloc.OverlapCheck;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.L2Entry;
import org.qcowfs.format.SubclusterBitmap;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.DirectBuffers;

/**
 * Writes guest data: in its place where that is this disk's alone, else into clusters newly taken,
 * with what the write leaves uncovered copied along.
 *
 * <p>Thread rules: any number of threads. Guest data is read and written without the metadata lock.
 * Writes that change a mapping claim their clusters; writes in place do not.
 */
final class GuestWriter {
  private static final DirectBuffers HEADS = new DirectBuffers();
  private static final DirectBuffers TAILS = new DirectBuffers();

  private final WriteContext context;
  private final OverlapCheck overlaps;
  private final Qcow2Layer layer;
  private final BackingExtent backing;
  private final LongSupplier diskEnd;

  /** Tells where a backing file can still have bytes. */
  @FunctionalInterface
  interface BackingExtent {
    /** Guest offset behind the last byte of the backing file; 0 where there is none. */
    long end();
  }

  /** What a write is going to do to a run of neighbouring clusters. */
  private record Plan(
      List<OldCluster> old,
      long hostOffset,
      long ticket,
      boolean newPlace,
      boolean dataMustBeDurable) {
    long start() {
      return old.get(0).guestOffset();
    }

    long end(ClusterGeometry geometry) {
      return old.get(old.size() - 1).guestOffset() + geometry.clusterBytes();
    }

    long hostOffsetOf(long guestOffset) {
      return hostOffset + guestOffset - start();
    }
  }

  /**
   * @param diskEnd the virtual size: a data file is not made longer than the disk
   */
  GuestWriter(WriteContext context, Qcow2Layer layer, BackingExtent backing, LongSupplier diskEnd) {
    this.diskEnd = diskEnd;
    this.context = context;
    this.overlaps = context.space().overlaps();
    this.layer = layer;
    this.backing = backing;
  }

  /** Writes the source's remaining bytes. */
  void write(ByteBuffer source, long guestOffset) throws IOException {
    int slot = context.gate().enter();
    try {
      writeInside(source, guestOffset);
    } finally {
      context.gate().leave(slot);
    }
  }

  private void writeInside(ByteBuffer source, long guestOffset) throws IOException {
    MappedRun run = new MappedRun();
    int limit = source.limit();
    long offset = guestOffset;
    while (source.hasRemaining()) {
      layer.lookup(offset, source.remaining(), run);
      int before = source.remaining();
      if (run.isWritableInPlace()) {
        checkPlace(run);
        source.limit(source.position() + (int) run.length());
        context.guestData().write(source, run.hostOffset());
        source.limit(limit);
      } else {
        writeAllocating(source, offset);
      }
      offset += before - source.remaining();
    }
  }

  /** Whatever the entry says: guest data never goes over metadata. */
  private void checkPlace(MappedRun run) throws CorruptImageException {
    if (!context.dataFile()) {
      overlaps.checkData(run.hostOffset(), run.length());
    }
  }

  /** Makes sure that every cluster of the range has a place, and reads as it did. */
  void allocate(long guestOffset, long length) throws IOException {
    int slot = context.gate().enter();
    try {
      ByteBuffer nothing = ByteBuffer.allocate(0);
      MappedRun run = new MappedRun();
      long end = guestOffset + length;
      long offset = guestOffset;
      while (offset < end) {
        layer.lookup(offset, end - offset, run);
        offset = run.isWritableInPlace() ? offset + run.length() : place(nothing, offset, end);
      }
    } finally {
      context.gate().leave(slot);
    }
  }

  private void writeAllocating(ByteBuffer source, long offset) throws IOException {
    place(source, offset, offset + source.remaining());
  }

  /**
   * Gives the first clusters of the range a place, and writes the source's bytes for them.
   *
   * @param source what to write from the offset on; nothing where only a place is wanted
   * @return guest offset up to which the range has been dealt with; the offset itself if another
   *     writer was faster and the mapping must be looked up again
   */
  private long place(ByteBuffer source, long offset, long end) throws IOException {
    ClusterGeometry geometry = context.geometry();
    long first = geometry.clusterStart(offset);
    long last = geometry.clusterStart(end - 1) + geometry.clusterBytes();
    long claimEnd = Math.min(last, context.sliceEnd(first));
    ClusterClaims.Claim claim = context.claims().claim(first, claimEnd);
    try {
      Plan plan = plan(offset, Math.min(end, claimEnd));
      if (plan == null) {
        return offset;
      }
      long writeEnd = Math.min(end, plan.end(geometry));
      boolean linking = false;
      try {
        boolean placeOnly = !source.hasRemaining();
        if (placeOnly) {
          fillPlanned(plan);
        } else {
          writePlanned(plan, source, offset, writeEnd);
        }
        context.metadataLock().lock();
        try {
          context.l2().pinLocked(plan.start());
          // From here on only memory can run out. Rather a leak then than clusters which entries
          // name already and which count as free.
          linking = true;
          linkLocked(
              plan, placeOnly ? plan.start() : offset, placeOnly ? plan.end(geometry) : writeEnd);
        } finally {
          context.metadataLock().unlock();
        }
      } finally {
        if (!linking) {
          abandon(plan);
        }
      }
      return writeEnd;
    } finally {
      claim.release();
    }
  }

  private @Nullable Plan plan(long offset, long end) throws IOException {
    ClusterGeometry geometry = context.geometry();
    context.metadataLock().lock();
    try {
      List<OldCluster> run = new ArrayList<>();
      long guestOffset = geometry.clusterStart(offset);
      OldCluster first = OldCluster.readLocked(context, guestOffset);
      if (first.isWritableInPlace(
          context, offset, Math.min(end, guestOffset + geometry.clusterBytes()))) {
        return null;
      }
      context.l2().prepareTableLocked(guestOffset);
      boolean ownPlace = first.hasOwnPlace(context);
      run.add(first);
      while ((guestOffset += geometry.clusterBytes()) < end) {
        OldCluster next = OldCluster.readLocked(context, guestOffset);
        if (next.isWritableInPlace(context)
            || next.hasOwnPlace(context) != ownPlace
            || (ownPlace && !follows(first, next))) {
          break;
        }
        run.add(next);
      }
      return ownPlace ? planInOwnPlace(run) : planInNewPlaceLocked(run);
    } finally {
      context.metadataLock().unlock();
    }
  }

  private static boolean follows(OldCluster first, OldCluster next) {
    return L2Entry.hostOffset(next.entry()) - L2Entry.hostOffset(first.entry())
        == next.guestOffset() - first.guestOffset();
  }

  /** The place is there, for zeros or for other subclusters. What it holds now is not known. */
  private static Plan planInOwnPlace(List<OldCluster> run) {
    return new Plan(run, L2Entry.hostOffset(run.get(0).entry()), 0, false, true);
  }

  private Plan planInNewPlaceLocked(List<OldCluster> run) throws IOException {
    if (context.dataFile()) {
      return new Plan(run, run.get(0).guestOffset(), 0, true, true);
    }
    HostSpace.Allocation allocation = context.space().allocateLocked(run.size());
    List<OldCluster> placed = run.subList(0, allocation.count());
    boolean zerosBefore = placed.stream().allMatch(this::readsAsZeros);
    // The new clusters read as zeros. If the guest saw zeros too, it does not matter which of data
    // and pointer is durable first; else the pointer must not outlive the data (rule R4).
    return new Plan(placed, allocation.hostOffset(), allocation.ticket(), true, !zerosBefore);
  }

  private boolean readsAsZeros(OldCluster old) {
    return old.readsAsZeros(context)
        || (old.isUnallocated(context) && old.guestOffset() >= backing.end());
  }

  private void writePlanned(Plan plan, ByteBuffer source, long offset, long writeEnd)
      throws IOException {
    int limit = source.limit();
    source.limit(source.position() + (int) (writeEnd - offset));
    if (plan.dataMustBeDurable()) {
      long fillStart = fillStart(plan.old().get(0), offset);
      long fillEnd = fillEnd(plan.old().get(plan.old().size() - 1), writeEnd);
      ByteBuffer head = readOld(HEADS, fillStart, offset);
      ByteBuffer tail = readOld(TAILS, writeEnd, fillEnd);
      context
          .guestData()
          .write(new ByteBuffer[] {head, source, tail}, plan.hostOffsetOf(fillStart));
    } else {
      // The new clusters read as zeros, and so did the guest's: what is left uncovered is right.
      context.guestData().write(source, plan.hostOffsetOf(offset));
    }
    source.limit(limit);
  }

  /** Writes what the guest reads now to where it will be read from then, and secures its space. */
  private void fillPlanned(Plan plan) throws IOException {
    ClusterGeometry geometry = context.geometry();
    long end = endInFile(plan.end(geometry));
    context.guestData().allocate(plan.hostOffset(), end - plan.start());
    if (!plan.dataMustBeDurable()) {
      return;
    }
    for (OldCluster old : plan.old()) {
      for (long at = old.guestOffset();
          at < Math.min(end, old.guestOffset() + geometry.clusterBytes());
          at += geometry.subclusterBytes()) {
        // Others may be writing into subclusters that are in place already.
        if (!isWrittenAlready(old, at)) {
          context
              .guestData()
              .write(
                  readOld(HEADS, at, Math.min(end, at + geometry.subclusterBytes())),
                  plan.hostOffsetOf(at));
        }
      }
    }
  }

  /** Where the bytes begin that must be written so that what the write leaves uncovered stays. */
  private long fillStart(OldCluster cluster, long offset) {
    int granule = granule(cluster);
    long start = cluster.guestOffset() + (offset - cluster.guestOffset()) / granule * granule;
    return isWrittenAlready(cluster, offset) ? offset : start;
  }

  private long fillEnd(OldCluster cluster, long writeEnd) {
    int granule = granule(cluster);
    long end =
        cluster.guestOffset()
            + (writeEnd - cluster.guestOffset() + granule - 1) / granule * granule;
    // A disk that is being cut off ends before what is written to the rest of its last cluster.
    return isWrittenAlready(cluster, writeEnd - 1) ? writeEnd : Math.max(writeEnd, endInFile(end));
  }

  /** A cluster of the image file is always whole; a data file ends where the disk does. */
  private long endInFile(long clusterEnd) {
    return context.dataFile() ? Math.min(clusterEnd, diskEnd.getAsLong()) : clusterEnd;
  }

  private int granule(OldCluster cluster) {
    ClusterGeometry geometry = context.geometry();
    return cluster.mustBeCopiedWhole(context)
        ? geometry.clusterBytes()
        : geometry.subclusterBytes();
  }

  private boolean isWrittenAlready(OldCluster cluster, long guestOffset) {
    return context.geometry().extendedL2()
        && cluster.hasOwnPlace(context)
        && SubclusterBitmap.isAllocated(
            cluster.bitmap(),
            (int) ((guestOffset - cluster.guestOffset()) / context.geometry().subclusterBytes()));
  }

  private ByteBuffer readOld(DirectBuffers buffers, long start, long end) throws IOException {
    ByteBuffer bytes = buffers.get((int) (end - start));
    if (bytes.hasRemaining()) {
      layer.read(bytes, start);
    }
    return bytes.flip();
  }

  private void linkLocked(Plan plan, long writeStart, long writeEnd) throws IOException {
    long ticket =
        plan.dataMustBeDurable()
            ? Math.max(plan.ticket(), context.clock().ticket())
            : plan.ticket();
    for (OldCluster old : plan.old()) {
      long host = plan.hostOffsetOf(old.guestOffset());
      long bitmap = bitmapAfter(old, writeStart, writeEnd);
      context.l2().setLocked(old.guestOffset(), L2Entry.data(host), bitmap, ticket);
      if (plan.newPlace()) {
        old.freeLocked(context);
      }
    }
  }

  private long bitmapAfter(OldCluster old, long writeStart, long writeEnd) {
    ClusterGeometry geometry = context.geometry();
    if (!geometry.extendedL2() || old.mustBeCopiedWhole(context)) {
      return SubclusterBitmap.ALL_ALLOCATED;
    }
    long start = Math.max(writeStart, old.guestOffset()) - old.guestOffset();
    long end = Math.min(writeEnd, old.guestOffset() + geometry.clusterBytes()) - old.guestOffset();
    int first = (int) (start / geometry.subclusterBytes());
    int behind = (int) ((end + geometry.subclusterBytes() - 1) / geometry.subclusterBytes());
    return SubclusterBitmap.withAllocated(old.bitmap(), first, behind);
  }

  /** Gives back what a failed write was going to use. What it wrote there is never seen. */
  private void abandon(Plan plan) {
    if (plan.newPlace() && !context.dataFile()) {
      context.metadataLock().lock();
      try {
        context
            .freed()
            .addLocked(
                plan.hostOffset(), (long) plan.old().size() * context.geometry().clusterBytes());
      } finally {
        context.metadataLock().unlock();
      }
    }
  }
}
