package org.qcowfs.mapping;

import java.io.EOFException;
import java.io.IOException;
import org.qcowfs.cache.TableCache;
import org.qcowfs.cache.TableSlice;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.L2Entry;
import org.qcowfs.format.SubclusterBitmap;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.mapping.MappedRun.Kind;
import org.qcowfs.storage.BlockStorage;

/**
 * Guest offset to host location, through one L1 table (section "Cluster mapping"): that of the
 * active disk or of an internal snapshot.
 *
 * <p>Thread rules: lookups run in parallel and take no lock when the L2 slice is cached.
 */
final class ClusterMap {
  private final BlockStorage storage;
  private final int fileIndex;
  private final TableCache cache;
  private final ClusterGeometry geometry;
  private final L1Table l1Table;
  private final boolean zeroFlagAllowed;
  private final boolean dataFile;
  private final int sliceBytes;
  private final int sliceEntryBits;

  /**
   * @param l1Table the table that the lookups go through
   * @param version of the image: entries of version 2 have no zero flag
   * @param dataFile whether guest data lies in an external data file
   */
  ClusterMap(
      BlockStorage storage,
      int fileIndex,
      TableCache cache,
      ClusterGeometry geometry,
      L1Table l1Table,
      int version,
      boolean dataFile) {
    this.storage = storage;
    this.fileIndex = fileIndex;
    this.cache = cache;
    this.geometry = geometry;
    this.l1Table = l1Table;
    this.zeroFlagAllowed = version >= 3 && !geometry.extendedL2();
    this.dataFile = dataFile;
    this.sliceBytes = Math.min(geometry.clusterBytes(), TableCache.SLICE_BYTES);
    this.sliceEntryBits =
        Integer.numberOfTrailingZeros(sliceBytes / Long.BYTES / geometry.l2EntryWords());
  }

  /**
   * Looks up how the bytes from the guest offset on are stored.
   *
   * @param maxLength at least 1; the run is never longer
   * @param run receives the answer; it may be shorter than it could be
   * @throws CorruptImageException when an entry breaks a rule of the format
   */
  void lookup(long guestOffset, long maxLength, MappedRun run) throws IOException {
    long l2TableOffset = l2TableOffset(guestOffset);
    if (l2TableOffset == 0) {
      run.set(
          Kind.UNALLOCATED, Math.min(maxLength, unallocatedByL1(guestOffset, maxLength)), 0, false);
      return;
    }
    int l2Index = geometry.l2Index(guestOffset);
    TableSlice slice = slice(l2TableOffset, l2Index);
    if (geometry.extendedL2()) {
      lookupValidSubclusters(slice, guestOffset, maxLength, run);
    } else {
      lookupClusters(slice, guestOffset, maxLength, run);
    }
  }

  private long l2TableOffset(long guestOffset) throws CorruptImageException {
    long l1Index = geometry.l1Index(guestOffset);
    long offset = l1Table.l2TableOffset(l1Index);
    if (!geometry.isClusterAligned(offset)) {
      throw CorruptImageException.ofMetadata(
          "L2 table",
          offset,
          "the offset in L1 entry %d is not aligned to a cluster".formatted(l1Index));
    }
    return offset;
  }

  /** Bytes from the guest offset on that no L1 entry maps: at least those of one L2 table. */
  private long unallocatedByL1(long guestOffset, long maxLength) {
    long l1Index = geometry.l1Index(guestOffset) + 1;
    long end = guestOffset + maxLength;
    while (l1Index << geometry.l1EntryBits() < end) {
      if (l1Index >= l1Table.length()) {
        return maxLength;
      }
      if (l1Table.l2TableOffset(l1Index) != 0) {
        break;
      }
      l1Index++;
    }
    return (l1Index << geometry.l1EntryBits()) - guestOffset;
  }

  /** The slice with that entry, for one look at it and what follows. */
  private TableSlice slice(long l2TableOffset, int l2Index) throws IOException {
    long hostOffset = l2TableOffset + (long) (l2Index >>> sliceEntryBits) * sliceBytes;
    int wordIndex = (l2Index & ((1 << sliceEntryBits) - 1)) * geometry.l2EntryWords();
    try {
      return cache.look(storage, fileIndex, hostOffset, sliceBytes, wordIndex);
    } catch (EOFException e) {
      throw new CorruptImageException("L2 table", l2TableOffset, "lies past the end of the file");
    }
  }

  private void lookupClusters(TableSlice slice, long guestOffset, long maxLength, MappedRun run)
      throws CorruptImageException {
    int index = geometry.l2Index(guestOffset) & ((1 << sliceEntryBits) - 1);
    int offsetInCluster = geometry.offsetInCluster(guestOffset);
    long clusterStart = guestOffset - offsetInCluster;
    long entry = slice.word(index);
    Kind kind = kindOf(entry, clusterStart);
    long hostOffset = L2Entry.hostOffset(entry);
    long length = geometry.clusterBytes();
    if (kind != Kind.COMPRESSED) {
      while (length - offsetInCluster < maxLength && ++index < slice.wordCount()) {
        long next = slice.word(index);
        if (kindOf(next, clusterStart + length) != kind
            || L2Entry.isCopied(next) != L2Entry.isCopied(entry)
            || (kind.hasHostOffset() && L2Entry.hostOffset(next) != hostOffset + length)) {
          break;
        }
        length += geometry.clusterBytes();
      }
    }
    run.set(
        kind,
        Math.min(length - offsetInCluster, maxLength),
        hostOffset + offsetInCluster,
        isOwn(entry));
    run.compressedEntry = entry;
  }

  /** The words of an extended entry belong together: looks again if a writer came in between. */
  private void lookupValidSubclusters(
      TableSlice slice, long guestOffset, long maxLength, MappedRun run)
      throws CorruptImageException {
    while (true) {
      int stamp = slice.stamp();
      try {
        lookupSubclusters(slice, guestOffset, maxLength, run);
        if (slice.isValid(stamp)) {
          return;
        }
      } catch (CorruptImageException e) {
        if (slice.isValid(stamp)) {
          throw e;
        }
      }
      Thread.onSpinWait();
    }
  }

  private void lookupSubclusters(TableSlice slice, long guestOffset, long maxLength, MappedRun run)
      throws CorruptImageException {
    int index = geometry.l2Index(guestOffset) & ((1 << sliceEntryBits) - 1);
    int offsetInCluster = geometry.offsetInCluster(guestOffset);
    long clusterStart = guestOffset - offsetInCluster;
    long entry = slice.word(2 * index);
    long bitmap = slice.word(2 * index + 1);
    Kind clusterKind = kindOf(entry, clusterStart);
    long hostOffset = L2Entry.hostOffset(entry);
    if (clusterKind == Kind.COMPRESSED) {
      run.set(
          Kind.COMPRESSED,
          Math.min(geometry.clusterBytes() - offsetInCluster, maxLength),
          0,
          false);
      run.compressedEntry = entry;
      return;
    }
    checkBitmap(bitmap, clusterKind, clusterStart);
    int subcluster = offsetInCluster / geometry.subclusterBytes();
    Kind kind = subclusterKind(clusterKind, bitmap, subcluster);
    while (++subcluster < ClusterGeometry.SUBCLUSTERS
        && subclusterKind(clusterKind, bitmap, subcluster) == kind) {
      if ((long) subcluster * geometry.subclusterBytes() - offsetInCluster >= maxLength) {
        break;
      }
    }
    long length = (long) subcluster * geometry.subclusterBytes();
    if (subcluster == ClusterGeometry.SUBCLUSTERS) {
      length =
          extendOverWholeClusters(
              slice, index, clusterStart, kind, entry, offsetInCluster + maxLength);
    }
    run.set(
        kind,
        Math.min(length - offsetInCluster, maxLength),
        hostOffset + offsetInCluster,
        isOwn(entry));
  }

  /**
   * How far a run that reaches the end of its cluster goes on: over following clusters that are of
   * its kind as a whole, and into the first subclusters of the one that ends it.
   *
   * @return bytes from the start of the cluster in which the run begins
   */
  private long extendOverWholeClusters(
      TableSlice slice, int firstIndex, long clusterStart, Kind kind, long firstEntry, long wanted)
      throws CorruptImageException {
    long hostOffset = L2Entry.hostOffset(firstEntry);
    long length = geometry.clusterBytes();
    int index = firstIndex;
    while (length < wanted && (++index << 1) < slice.wordCount()) {
      long entry = slice.word(2 * index);
      long bitmap = slice.word(2 * index + 1);
      Kind clusterKind = kindOf(entry, clusterStart + length);
      if (clusterKind == Kind.COMPRESSED
          || L2Entry.isCopied(entry) != L2Entry.isCopied(firstEntry)
          || (kind.hasHostOffset() && L2Entry.hostOffset(entry) != hostOffset + length)) {
        break;
      }
      checkBitmap(bitmap, clusterKind, clusterStart + length);
      int alike = 0;
      while (alike < ClusterGeometry.SUBCLUSTERS
          && subclusterKind(clusterKind, bitmap, alike) == kind) {
        alike++;
      }
      length += (long) alike * geometry.subclusterBytes();
      if (alike < ClusterGeometry.SUBCLUSTERS) {
        break;
      }
    }
    return length;
  }

  /** Nobody shares the clusters of a data file, whatever the flag says. */
  private boolean isOwn(long entry) {
    return dataFile || L2Entry.isCopied(entry);
  }

  private Kind kindOf(long entry, long guestOffset) throws CorruptImageException {
    if (L2Entry.isCompressed(entry)) {
      check(!dataFile, entry, guestOffset, "a compressed cluster, but the image has a data file");
      return Kind.COMPRESSED;
    }
    long hostOffset = L2Entry.hostOffset(entry);
    check(geometry.isClusterAligned(hostOffset), entry, guestOffset, "not aligned to a cluster");
    boolean allocated = hostOffset != 0 || (dataFile && L2Entry.isCopied(entry));
    check(
        !allocated || !dataFile || hostOffset == guestOffset,
        entry,
        guestOffset,
        "a data file must hold every byte at its guest offset");
    if (!geometry.extendedL2() && L2Entry.isZero(entry)) {
      check(zeroFlagAllowed, entry, guestOffset, "a zero cluster in an image of version 2");
      return allocated ? Kind.ZERO_PREALLOCATED : Kind.ZERO;
    }
    return allocated ? Kind.DATA : Kind.UNALLOCATED;
  }

  private static Kind subclusterKind(Kind clusterKind, long bitmap, int subcluster) {
    boolean allocated = clusterKind == Kind.DATA;
    if (SubclusterBitmap.isZero(bitmap, subcluster)) {
      return allocated ? Kind.ZERO_PREALLOCATED : Kind.ZERO;
    }
    if (SubclusterBitmap.isAllocated(bitmap, subcluster)) {
      return Kind.DATA;
    }
    return allocated ? Kind.UNALLOCATED_IN_CLUSTER : Kind.UNALLOCATED;
  }

  private static void checkBitmap(long bitmap, Kind clusterKind, long guestOffset)
      throws CorruptImageException {
    check(
        !SubclusterBitmap.contradictsItself(bitmap),
        bitmap,
        guestOffset,
        "subclusters are both allocated and zero");
    check(
        clusterKind == Kind.DATA || !SubclusterBitmap.allocatesAny(bitmap),
        bitmap,
        guestOffset,
        "subclusters are allocated in a cluster that is not");
  }

  private static void check(boolean holds, long entry, long guestOffset, String rule)
      throws CorruptImageException {
    if (!holds) {
      throw CorruptImageException.ofMetadata(
          "Cluster",
          L2Entry.hostOffset(entry),
          "L2 entry 0x%016x for guest offset 0x%x: %s".formatted(entry, guestOffset, rule));
    }
  }
}
