package org.qcowfs.check;

import java.io.IOException;
import org.qcowfs.alloc.ClusterCounts;
import org.qcowfs.check.Fix.Relocate.Pointer;
import org.qcowfs.format.Header;
import org.qcowfs.format.L2Entry;
import org.qcowfs.format.SubclusterBitmap;
import org.qcowfs.geometry.ClusterGeometry;

/**
 * Counts what the entries of L2 tables name, and says what is wrong with them.
 *
 * <p>Thread rules: used by one thread.
 */
final class L2Entries implements L2Stream.Visitor {
  private static final String UNREADABLE = "this part of the disk cannot be read";

  /** How far behind the end of the file data may lie that a crash kept from being written. */
  private static final long MAX_LOST_BYTES = 1L << 30;

  /** How the clusters of the active disk lie in the file, in clusters. */
  record Fragments(long allocated, long fragmented, long compressed) {}

  private final ReferenceCounter references;
  private final CopiedChecks copiedChecks;
  private final Header header;
  private final ClusterGeometry geometry;
  private final L2Places places;
  private final L2Fixes fixes;
  private final ClusterCounts compressed = new ClusterCounts();
  private final long maxRefcount;
  private long allocatedClusters;
  private long fragmentedClusters;
  private long compressedClusters;
  private long table = -1;
  private long times;
  private long active;
  private long nextOffset;

  /** What stands for findings that nobody will read: there may be floods of them. */
  private Finding unread = Finding.corruption("L2 table", 0, "", "");

  L2Entries(ReferenceCounter references, Header header) {
    this.references = references;
    this.copiedChecks = references.copiedChecks();
    this.header = header;
    this.geometry = header.geometry();
    this.fixes = new L2Fixes(header);
    this.places = new L2Places(references, geometry);
    this.maxRefcount =
        header.refcountOrder() == 6 ? Long.MAX_VALUE : (1L << header.refcountBits()) - 1;
  }

  Fragments fragments() {
    return new Fragments(allocatedClusters, fragmentedClusters, compressedClusters);
  }

  /** How often a cluster is referred to as compressed data; only known of a strict count. */
  long compressedCount(long cluster) {
    return compressed.get(cluster);
  }

  /** Counts at once what a sound image mostly has: entries without a fault. */
  @Override
  public boolean run(long l2Table, long entry, long bitmap, int entries) throws IOException {
    enter(l2Table);
    long hostOffset = L2Entry.hostOffset(entry);
    if (header.hasDataFile()
        || L2Entry.isCompressed(entry)
        || L2Entry.reservedBits(entry) != 0
        || (geometry.extendedL2() && SubclusterBitmap.contradictsItself(bitmap))
        || hostOffset == 0
        || !geometry.isClusterAligned(hostOffset)
        || isLost(hostOffset, (long) entries * geometry.clusterBytes())) {
      return false;
    }
    long first = hostOffset >>> geometry.clusterBits();
    if ((active > 0 && !copiedChecks.isRight(L2Entry.isCopied(entry), first, entries))
        || !references.isDataAlike(first, entries)
        || references.count(first) > maxRefcount - times) {
      return false;
    }
    countFragments(hostOffset, entries);
    references.counts().addToEach(first, entries, times);
    return true;
  }

  private void countFragments(long hostOffset, int clusters) {
    if (active > 0) {
      allocatedClusters += active * clusters;
      if (nextOffset != 0 && nextOffset != hostOffset) {
        fragmentedClusters += active;
      }
      nextOffset = hostOffset + (long) clusters * geometry.clusterBytes();
    }
  }

  private void enter(long l2Table) {
    if (l2Table != table) {
      table = l2Table;
      times = references.references(l2Table);
      active = references.activeReferences(l2Table);
      nextOffset = 0;
    }
  }

  @Override
  public void entry(long l2Table, int index, long entry, long bitmap) throws IOException {
    enter(l2Table);
    if (L2Entry.isCompressed(entry)) {
      compressed(index, entry, bitmap);
    } else {
      standard(index, entry, bitmap);
    }
  }

  private Finding finding(int index, String problem, String consequence) throws IOException {
    if (!references.wantsText()) {
      if (unread.count() != times) {
        unread = unread.times(times);
      }
      return unread;
    }
    return places.finding(table, index, problem, consequence).times(times);
  }

  private void standard(int index, long entry, long bitmap) throws IOException {
    if (L2Entry.reservedBits(entry) != 0) {
      references.harmless(
          finding(index, references.text("reserved bits are set: 0x%x", entry), ""),
          fixes.words(table, index, entry & ~L2Entry.reservedBits(entry), bitmap));
    }
    long hostOffset = L2Entry.hostOffset(entry);
    boolean placed = hostOffset != 0 || (header.hasDataFile() && L2Entry.isCopied(entry));
    if (!placed || (!geometry.extendedL2() && hostOffset == 0 && L2Entry.isZero(entry))) {
      if (geometry.extendedL2() && SubclusterBitmap.allocatesAny(bitmap)) {
        references.harmless(
            finding(
                index,
                references.text("has subclusters, but no cluster: bitmap 0x%x", bitmap),
                UNREADABLE),
            fixes.lost(table, index, entry, bitmap));
      }
      return;
    }
    if (geometry.extendedL2() && SubclusterBitmap.contradictsItself(bitmap)) {
      references.harmless(
          finding(
              index,
              references.text("subclusters are data and zeros at once: bitmap 0x%x", bitmap),
              UNREADABLE),
          fixes.words(table, index, entry, bitmap & ~(bitmap << 32)));
    }
    cluster(index, entry, bitmap, hostOffset);
  }

  private void cluster(int index, long entry, long bitmap, long hostOffset) throws IOException {
    countFragments(hostOffset, 1);
    if (header.hasDataFile()) {
      copiedChecks.check(
          (problem, meaning) -> finding(index, problem, meaning),
          L2Entry.isCopied(entry),
          hostOffset,
          active,
          1);
    } else {
      copiedChecks.check(
          (problem, meaning) -> finding(index, problem, meaning),
          L2Entry.isCopied(entry),
          hostOffset,
          active);
    }
    if (!geometry.isClusterAligned(hostOffset)) {
      references.hiding(
          finding(
                  index,
                  references.text(
                      "what it names, host offset 0x%x, is not aligned to a cluster", hostOffset),
                  consequenceOfLoss(entry, bitmap))
              .times(times * references.errorsOfMisaligned(hostOffset)),
          fixes.lost(table, index, entry, bitmap));
      if (!header.hasDataFile()) {
        references.countMisaligned(hostOffset, times);
      }
    } else if (!header.hasDataFile()) {
      countData(index, entry, bitmap, hostOffset);
    }
  }

  private void countData(int index, long entry, long bitmap, long hostOffset) throws IOException {
    long bytes = geometry.clusterBytes();
    if (isLost(hostOffset, bytes)) {
      references.hiding(
          finding(index, pastEnd(hostOffset), consequenceOfLoss(entry, bitmap)),
          fixes.lost(table, index, entry, bitmap));
      return;
    }
    count(
        index,
        hostOffset,
        bytes,
        () -> fixes.relocation(table, index, entry, Pointer.L2_ENTRY, hostOffset, bytes));
  }

  /** What lies behind the end is counted strictly, so that a repair can make room for it. */
  private boolean isLost(long hostOffset, long bytes) {
    if (!references.isStrict()) {
      return references.isPastEnd(hostOffset, bytes);
    }
    long end = references.fileClusters() << geometry.clusterBits();
    return hostOffset + bytes > end + Math.max(end, MAX_LOST_BYTES);
  }

  private String pastEnd(long hostOffset) {
    return references.text(
        "what it names, host offset 0x%x, lies %spast the end of the file",
        hostOffset, references.isStrict() ? "far behind the end, " : "");
  }

  private String consequenceOfLoss(long entry, long bitmap) {
    boolean data =
        geometry.extendedL2() ? SubclusterBitmap.allocatesAny(bitmap) : !L2Entry.isZero(entry);
    return data
        ? references.text("%d bytes of the disk are lost", geometry.clusterBytes())
        : "it reads as zeros";
  }

  private interface FixSource {
    Fix fix();
  }

  private void count(int index, long hostOffset, long bytes, FixSource fix) throws IOException {
    int bits = geometry.clusterBits();
    long last = (hostOffset + bytes - 1) >>> bits;
    boolean told = false;
    for (long cluster = hostOffset >>> bits; cluster <= last; cluster++) {
      if (!told && references.structures().contains(cluster)) {
        told = true;
        overlap(index, cluster, references.structures().nameOf(cluster), fix);
      } else if (!told && references.l2Tables().get(cluster) != 0) {
        told = true;
        overlap(index, cluster, "an L2 table", fix);
      } else if (!told && times <= maxRefcount && references.count(cluster) > maxRefcount - times) {
        told = true;
        // Says where; the comparison with the refcounts says it too, and counts it.
        references.harmless(
            finding(
                    index,
                    references.text(
                        "host offset 0x%x is referred to more often than its refcount can say",
                        cluster << bits),
                    "writing to one of its users changes the others")
                .times(0),
            fix.fix());
      }
      references.counts().add(cluster, times);
    }
  }

  private void overlap(int index, long cluster, String structure, FixSource fix)
      throws IOException {
    Finding finding =
        finding(
            index,
            references.text(
                "what it names, host offset 0x%x, overlaps a structure of the image: %s",
                cluster << geometry.clusterBits(), structure),
            "a write to this part of the disk would destroy it");
    references.hiding(finding.times(references.overlapErrors(cluster, times)), fix.fix());
  }

  private void compressed(int index, long entry, long bitmap) throws IOException {
    int bits = geometry.clusterBits();
    if (L2Entry.isCopied(entry)) {
      references.harmless(
          finding(index, "COPIED is set of compressed data", ""),
          fixes.words(table, index, L2Entry.withCopied(entry, false), bitmap));
    }
    if (header.hasDataFile()) {
      references.hiding(
          finding(index, "what it names is compressed, beside an external data file", UNREADABLE),
          fixes.lost(table, index, entry, bitmap));
      return;
    }
    if (bitmap != 0) {
      references.hiding(
          finding(
              index, references.text("compressed data has subclusters: bitmap 0x%x", bitmap), ""),
          fixes.words(table, index, L2Entry.withCopied(entry, false), 0));
      if (!references.isStrict()) {
        return;
      }
    }
    long hostOffset = L2Entry.compressedOffset(entry, bits);
    long bytes = L2Entry.compressedBytes(entry, bits);
    if (isLost(hostOffset, bytes)) {
      references.hiding(
          finding(index, pastEnd(hostOffset), consequenceOfLoss(0, -1)),
          hostOffset < references.fileBytes()
              ? fixes.words(
                  table, index, fixes.shortened(entry, hostOffset, references.fileBytes()), bitmap)
              : fixes.lost(table, index, entry, bitmap));
    } else {
      long start = geometry.clusterStart(hostOffset);
      long end = geometry.clusterStart(hostOffset + bytes - 1) + geometry.clusterBytes();
      count(
          index,
          hostOffset,
          bytes,
          () -> fixes.relocation(table, index, entry, Pointer.COMPRESSED, start, end - start));
      if (references.isStrict()) {
        for (long at = start; at < end; at += geometry.clusterBytes()) {
          compressed.add(at >>> bits, times);
        }
      }
    }
    if (active > 0) {
      allocatedClusters += active;
      compressedClusters += active;
      fragmentedClusters += active;
    }
  }
}
