package org.qcowfs.check;

import java.io.IOException;
import java.util.function.LongPredicate;
import org.qcowfs.alloc.ClusterCounts;
import org.qcowfs.format.Header;
import org.qcowfs.format.L1Entry;
import org.qcowfs.format.L2Entry;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Sets the COPIED flags of the active disk: set where the refcount is exactly one, and only there.
 *
 * <p>What survives a crash: each sector has its old or its new flags. The dirty bit must be set all
 * the while.
 *
 * <p>Thread rules: used by one thread.
 */
final class CopiedFlags {
  private final BlockStorage storage;
  private final Header header;
  private final ClusterGeometry geometry;
  private final ClusterCounts counts;
  private final LongPredicate concerned;
  private final WordEdits edits;
  private final TableScan scan;
  private long wrong;

  /**
   * @param counts how often each cluster is referred to
   */
  CopiedFlags(BlockStorage storage, Header header, ClusterCounts counts) {
    this(storage, header, counts, cluster -> true);
  }

  /**
   * @param concerned the flags of which clusters are to be corrected
   */
  CopiedFlags(BlockStorage storage, Header header, ClusterCounts counts, LongPredicate concerned) {
    this.storage = storage;
    this.header = header;
    this.geometry = header.geometry();
    this.counts = counts;
    this.concerned = concerned;
    this.edits = new WordEdits(storage);
    this.scan = new TableScan(storage);
  }

  /**
   * Corrects the flags, and hands them to the operating system.
   *
   * @return how many were wrong
   */
  long correct() throws IOException {
    ClusterCounts l2Tables = new ClusterCounts();
    scan.visit(
        header.l1TableOffset(),
        header.l1Entries(),
        (index, entry) -> {
          long table = L1Entry.l2TableOffset(entry);
          if (table != 0 && geometry.isClusterAligned(table)) {
            l2Tables.add(table >>> geometry.clusterBits(), 1);
            correct(header.l1TableOffset() + index * Long.BYTES, entry, l1(table, entry));
          }
        });
    edits.write();
    try (L2Stream stream = new L2Stream(storage, geometry)) {
      stream.visit(l2Tables, this::l2, L2Stream.Progress.SILENT);
    }
    edits.write();
    return wrong;
  }

  private void correct(long hostOffset, long entry, long corrected) throws IOException {
    if (entry == corrected) {
      return;
    }
    if (edits.holdsOtherSectorThan(hostOffset)) {
      edits.write();
    }
    edits.put(hostOffset, corrected);
    wrong++;
  }

  private long l1(long table, long entry) {
    return isConcerned(table) ? L1Entry.withCopied(entry, isUsedOnce(table)) : entry;
  }

  private boolean isConcerned(long hostOffset) {
    return concerned.test(hostOffset >>> geometry.clusterBits());
  }

  private boolean isUsedOnce(long hostOffset) {
    return counts.get(hostOffset >>> geometry.clusterBits()) == 1;
  }

  private void l2(long table, int index, long entry, long bitmap) throws IOException {
    long hostOffset = L2Entry.hostOffset(entry);
    long corrected = entry;
    if (L2Entry.isCompressed(entry)) {
      corrected = L2Entry.withCopied(entry, false);
    } else if (hostOffset != 0 && isConcerned(hostOffset)) {
      // What lies in an external data file has no refcount, and only the active disk has a place.
      corrected = L2Entry.withCopied(entry, header.hasDataFile() || isUsedOnce(hostOffset));
    }
    correct(table + (long) index * geometry.l2EntryWords() * Long.BYTES, entry, corrected);
  }
}
