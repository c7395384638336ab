package org.qcowfs.mapping;

import java.io.IOException;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.L2Entry;
import org.qcowfs.format.SubclusterBitmap;
import org.qcowfs.geometry.ClusterGeometry;

/**
 * A guest cluster as it is mapped before a change.
 *
 * @param entry its L2 entry
 * @param bitmap its subcluster bitmap, where entries are extended
 */
record OldCluster(long guestOffset, long entry, long bitmap) {

  /** Reads the entry of a cluster, and checks it as a lookup does. */
  static OldCluster readLocked(WriteContext context, long guestOffset) throws IOException {
    long entry = context.l2().entryLocked(guestOffset);
    if (!L2Entry.isCompressed(entry)
        && !context.geometry().isClusterAligned(L2Entry.hostOffset(entry))) {
      throw CorruptImageException.ofMetadata(
          "Cluster",
          L2Entry.hostOffset(entry),
          "L2 entry 0x%016x for guest offset 0x%x: not aligned to a cluster"
              .formatted(entry, guestOffset));
    }
    checkPlace(context, entry);
    return new OldCluster(guestOffset, entry, context.l2().bitmapLocked(guestOffset));
  }

  /** What is about to be overwritten or freed must not be metadata, whatever the entry says. */
  private static void checkPlace(WriteContext context, long entry) throws CorruptImageException {
    int clusterBits = context.geometry().clusterBits();
    if (L2Entry.isCompressed(entry)) {
      context
          .space()
          .overlaps()
          .checkCompressed(
              L2Entry.compressedOffset(entry, clusterBits),
              L2Entry.compressedBytes(entry, clusterBits));
    } else if (L2Entry.hostOffset(entry) != 0 && !context.dataFile()) {
      context
          .space()
          .overlaps()
          .checkData(L2Entry.hostOffset(entry), context.geometry().clusterBytes());
    }
  }

  boolean isCompressed() {
    return L2Entry.isCompressed(entry);
  }

  /** The cluster has a place in the host file, for data or kept for it. */
  boolean hasPlace(WriteContext context) {
    return !isCompressed()
        && (L2Entry.hostOffset(entry) != 0 || (context.dataFile() && L2Entry.isCopied(entry)));
  }

  /** The place is this disk's alone: it can be written without asking anybody. */
  boolean hasOwnPlace(WriteContext context) {
    return hasPlace(context) && (L2Entry.isCopied(entry) || context.dataFile());
  }

  /** Whether overwriting any part of the cluster needs no change of its mapping. */
  boolean isWritableInPlace(WriteContext context) {
    if (!hasOwnPlace(context)) {
      return false;
    }
    return context.geometry().extendedL2()
        ? bitmap == SubclusterBitmap.ALL_ALLOCATED
        : !L2Entry.isZero(entry);
  }

  /**
   * Whether the subclusters of the guest range can be overwritten with no change of the mapping.
   */
  boolean isWritableInPlace(WriteContext context, long start, long end) {
    ClusterGeometry geometry = context.geometry();
    if (!geometry.extendedL2() || !hasOwnPlace(context)) {
      return isWritableInPlace(context);
    }
    int first = (int) ((start - guestOffset) / geometry.subclusterBytes());
    int last = (int) ((end - 1 - guestOffset) / geometry.subclusterBytes());
    for (int subcluster = first; subcluster <= last; subcluster++) {
      if (!SubclusterBitmap.isAllocated(bitmap, subcluster)) {
        return false;
      }
    }
    return true;
  }

  /**
   * What moves to another cluster must take everything along: data that is compressed, or that a
   * snapshot shares.
   */
  boolean mustBeCopiedWhole(WriteContext context) {
    return isCompressed()
        || (hasPlace(context) && !hasOwnPlace(context) && !isZeroAsAWhole(context));
  }

  private boolean isZeroAsAWhole(WriteContext context) {
    return context.geometry().extendedL2()
        ? bitmap == SubclusterBitmap.ALL_ZERO
        : L2Entry.isZero(entry);
  }

  /** Whether the cluster reads as zeros without a look at the backing file. */
  boolean readsAsZeros(WriteContext context) {
    return !isCompressed() && isZeroAsAWhole(context);
  }

  boolean isUnallocated(WriteContext context) {
    return !isCompressed()
        && !hasPlace(context)
        && (context.geometry().extendedL2() ? bitmap == 0 : !L2Entry.isZero(entry));
  }

  /** Notes that this disk no longer points to what the entry named. */
  void freeLocked(WriteContext context) {
    ClusterGeometry geometry = context.geometry();
    if (isCompressed()) {
      context
          .freed()
          .addLocked(
              L2Entry.compressedOffset(entry, geometry.clusterBits()),
              L2Entry.compressedBytes(entry, geometry.clusterBits()),
              FreedClusters.Kind.COMPRESSED);
    } else if (L2Entry.hostOffset(entry) != 0 && !context.dataFile()) {
      context
          .freed()
          .addLocked(
              L2Entry.hostOffset(entry),
              geometry.clusterBytes(),
              L2Entry.isCopied(entry) ? FreedClusters.Kind.OWN : FreedClusters.Kind.SHARED);
    }
  }
}
