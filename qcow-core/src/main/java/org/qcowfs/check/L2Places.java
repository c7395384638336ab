package org.qcowfs.check;

import java.io.IOException;
import org.qcowfs.format.L1Entry;
import org.qcowfs.geometry.ClusterGeometry;

/**
 * Finds out which part of which disk an L2 table describes. That is looked up only when something
 * is wrong with it.
 *
 * <p>Thread rules: used by one thread.
 */
final class L2Places {
  private static final String TABLE = "L2 table";

  /** So many L1 entries are gone through; what is found later has no place that could be told. */
  private static final long ENTRIES_MAX = 1 << 26;

  /** What it costs to begin with a table, in entries. */
  private static final int TABLE_COST = 1024;

  private final ReferenceCounter references;
  private final ClusterGeometry geometry;
  private long entries;
  private long known = -1;
  private String structure = TABLE;
  private long l1Index = Finding.NONE;

  L2Places(ReferenceCounter references, ClusterGeometry geometry) {
    this.references = references;
    this.geometry = geometry;
  }

  Finding finding(long table, int index, String problem, String consequence) throws IOException {
    if (table != known) {
      lookUp(table);
    }
    Finding finding = Finding.corruption(structure, table, problem, consequence).at(index);
    return l1Index == Finding.NONE
        ? finding
        : finding.guest(
            (l1Index << geometry.l1EntryBits()) + ((long) index << geometry.clusterBits()));
  }

  private void lookUp(long table) throws IOException {
    known = table;
    structure = TABLE;
    l1Index = Finding.NONE;
    TableScan scan = references.lookUpScan();
    for (ReferenceCounter.L1Table l1 : references.l1Tables()) {
      if (l1Index == Finding.NONE && entries < ENTRIES_MAX) {
        entries += l1.entries() + TABLE_COST;
        scan.visit(l1.hostOffset(), l1.entries(), (i, e) -> match(l1, i, e));
      }
    }
  }

  private void match(ReferenceCounter.L1Table l1, long index, long entry) {
    if (l1Index == Finding.NONE && L1Entry.l2TableOffset(entry) == known) {
      l1Index = index;
      structure = l1.isActive() ? TABLE : TABLE + " of snapshot " + l1.snapshot();
    }
  }
}
