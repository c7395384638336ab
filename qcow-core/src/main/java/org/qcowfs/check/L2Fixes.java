package org.qcowfs.check;

import org.qcowfs.check.Fix.Relocate.Pointer;
import org.qcowfs.format.Header;
import org.qcowfs.format.L2Entry;
import org.qcowfs.format.SubclusterBitmap;
import org.qcowfs.geometry.ClusterGeometry;

/**
 * What puts an entry of an L2 table right.
 *
 * <p>Thread rules: any number of threads.
 */
final class L2Fixes {
  private final Header header;
  private final ClusterGeometry geometry;

  L2Fixes(Header header) {
    this.header = header;
    this.geometry = header.geometry();
  }

  private long wordOffset(long table, int index) {
    return table + (long) index * geometry.l2EntryWords() * Long.BYTES;
  }

  /** Other words for an entry. */
  Fix words(long table, int index, long entry, long bitmap) {
    return geometry.extendedL2()
        ? Fix.Words.bothInL2(wordOffset(table, index), entry, bitmap)
        : Fix.Words.inL2(wordOffset(table, index), entry);
  }

  /** What cannot be read any more becomes zeros, and never the older contents of a backing file. */
  Fix lost(long table, int index, long entry, long bitmap) {
    if (geometry.extendedL2()) {
      long zeros = (bitmap & SubclusterBitmap.ALL_ZERO) | (bitmap << 32);
      return Fix.Words.bothInL2(wordOffset(table, index), L2Entry.UNALLOCATED, zeros);
    }
    if (header.version() >= 3) {
      return Fix.Words.inL2(wordOffset(table, index), L2Entry.ZERO_PLAIN);
    }
    return header.backingNameOffset() == 0
        ? Fix.Words.inL2(wordOffset(table, index), L2Entry.UNALLOCATED)
        : new Fix.Relocate(
            wordOffset(table, index),
            entry & ~(L2Entry.reservedBits(entry) | 1L << 62),
            Pointer.L2_ENTRY,
            0,
            geometry.clusterBytes(),
            true);
  }

  /** What an entry names moves to clusters of its own. */
  Fix relocation(long table, int index, long entry, Pointer kind, long hostOffset, long bytes) {
    return new Fix.Relocate(wordOffset(table, index), entry, kind, hostOffset, bytes, false);
  }

  /** The length may be too large, as compressed data ends itself. */
  long shortened(long entry, long hostOffset, long fileBytes) {
    return L2Entry.withCompressedBytes(
        L2Entry.withCopied(entry, false), geometry.clusterBits(), fileBytes - hostOffset);
  }
}
