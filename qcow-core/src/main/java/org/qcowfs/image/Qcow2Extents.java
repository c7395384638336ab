package org.qcowfs.image;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.mapping.MappedRun;
import org.qcowfs.storage.BlockStorage;

/**
 * How a qcow2 layer and the backing chain below it store the ranges of a disk.
 *
 * <p>Thread rules: any number of threads.
 */
final class Qcow2Extents {
  /** As {@link org.qcowfs.mapping.Qcow2Layer#lookup}. */
  @FunctionalInterface
  interface Lookup {
    void lookup(long guestOffset, long maxLength, MappedRun run) throws IOException;
  }

  private final Path image;
  private final BlockStorage guestData;
  private final Lookup layer;
  private final @Nullable BlockDevice backing;
  private final MetadataPreallocation preallocation;

  /**
   * @param image the qcow2 file, for messages
   * @param guestData where its data clusters lie
   * @param backing the disk of the backing file, if there is one
   */
  Qcow2Extents(
      Path image,
      BlockStorage guestData,
      Lookup layer,
      @Nullable BlockDevice backing,
      MetadataPreallocation preallocation) {
    this.image = image;
    this.guestData = guestData;
    this.layer = layer;
    this.backing = backing;
    this.preallocation = preallocation;
  }

  /** As {@link BlockDevice#extents}; the range lies in the disk. */
  void visit(long guestOffset, long length, ExtentVisitor visitor) throws IOException {
    MappedRun run = new MappedRun();
    long end = guestOffset + length;
    long at = guestOffset;
    while (at < end) {
      try {
        layer.lookup(at, end - at, run);
      } catch (Qcow2Exception e) {
        throw e.in(image);
      }
      visitRun(run, at, visitor);
      at += run.length();
    }
  }

  private void visitRun(MappedRun run, long start, ExtentVisitor visitor) throws IOException {
    switch (run.kind()) {
      case DATA -> visitData(run, start, visitor);
      case COMPRESSED ->
          visitor.visit(
              new Extent(
                  start, run.length(), 0, true, false, true, true, Extent.NO_HOST_OFFSET, null));
      case ZERO, ZERO_PREALLOCATED -> visitor.visit(withoutData(run, start, run.length(), true));
      case UNALLOCATED, UNALLOCATED_IN_CLUSTER -> visitUnallocated(run, start, visitor);
    }
  }

  private void visitUnallocated(MappedRun run, long start, ExtentVisitor visitor)
      throws IOException {
    long fromBacking =
        backing == null ? 0 : Math.max(0, Math.min(run.length(), backing.size() - start));
    if (backing != null && fromBacking > 0) {
      backing.extents(start, fromBacking, extent -> visitor.visit(extent.oneDeeper()));
    }
    if (fromBacking < run.length()) {
      visitor.visit(withoutData(run, start + fromBacking, run.length() - fromBacking, false));
    }
  }

  /** An extent that reads as zeros: because an entry says so, or because nothing is allocated. */
  private Extent withoutData(MappedRun run, long start, long length, boolean present) {
    boolean hasHostOffset = run.kind().hasHostOffset();
    long skipped = run.length() - length;
    return new Extent(
        start,
        length,
        0,
        present,
        true,
        false,
        false,
        hasHostOffset ? run.hostOffset() + skipped : Extent.NO_HOST_OFFSET,
        hasHostOffset ? guestData.name() : null);
  }

  private void visitData(MappedRun run, long start, ExtentVisitor visitor) throws IOException {
    if (!preallocation.isLikely()) {
      visitor.visit(data(start, run.length(), run.hostOffset(), false));
      return;
    }
    long done = 0;
    while (done < run.length()) {
      long hostOffset = run.hostOffset() + done;
      long nextData = guestData.nextData(hostOffset);
      boolean hole = nextData != hostOffset;
      long pieceEnd = hole ? nextData : guestData.nextHole(hostOffset);
      long left = run.length() - done;
      long length = pieceEnd < 0 ? left : Math.min(left, pieceEnd - hostOffset);
      visitor.visit(data(start + done, length, hostOffset, hole));
      done += length;
    }
  }

  private Extent data(long start, long length, long hostOffset, boolean zero) {
    return new Extent(start, length, 0, true, zero, true, false, hostOffset, guestData.name());
  }
}
