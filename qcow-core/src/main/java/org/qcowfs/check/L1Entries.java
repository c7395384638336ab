package org.qcowfs.check;

import java.io.IOException;
import org.qcowfs.check.ReferenceCounter.L1Table;
import org.qcowfs.format.Header;
import org.qcowfs.format.L1Entry;
import org.qcowfs.geometry.ClusterGeometry;

/**
 * Counts the L2 tables that the entries of L1 tables name, and says what is wrong with the entries.
 *
 * <p>Thread rules: used by one thread.
 */
final class L1Entries {
  private final ReferenceCounter references;
  private final CopiedChecks copiedChecks;
  private final Header header;
  private final ClusterGeometry geometry;

  L1Entries(ReferenceCounter references, Header header) {
    this.references = references;
    this.copiedChecks = references.copiedChecks();
    this.header = header;
    this.geometry = header.geometry();
  }

  /** Counts what an entry names. */
  void add(L1Table table, long index, long entry) throws IOException {
    long word = table.hostOffset() + index * Long.BYTES;
    long l2Table = L1Entry.l2TableOffset(entry);
    long plain = entry & ~L1Entry.reservedBits(entry);
    if (plain != entry) {
      references.harmless(
          finding(table, index, references.text("reserved bits are set: 0x%x", entry), ""),
          Fix.Words.one(word, plain));
    }
    if (l2Table == 0) {
      if (plain == entry) {
        references.harmless(
            finding(table, index, references.text("names no L2 table, but is 0x%x", entry), ""),
            Fix.Words.one(word, 0));
      }
      return;
    }
    if (table.isActive()) {
      copiedChecks.check(
          (problem, meaning) -> finding(table, index, problem, meaning),
          L1Entry.isCopied(entry),
          l2Table,
          1);
    }
    if (isPlaced(table, index, entry)) {
      references.addL2Table(l2Table, table.isActive());
    }
  }

  private Finding finding(L1Table table, long index, String problem, String consequence) {
    String structure = references.wantsText() ? table.structure() : "";
    Finding finding =
        Finding.corruption(structure, table.hostOffset(), problem, consequence).at(index);
    return finding.guest(index << geometry.l1EntryBits());
  }

  /** Whether an L2 table can lie there. */
  private boolean isPlaced(L1Table table, long index, long entry) throws IOException {
    long word = table.hostOffset() + index * Long.BYTES;
    long l2Table = L1Entry.l2TableOffset(entry);
    if (!geometry.isClusterAligned(l2Table)) {
      references.hiding(
          lostTable(table, index, l2Table, "is not aligned to a cluster")
              .times(references.errorsOfMisaligned(l2Table)),
          Fix.Words.one(word, 0));
      references.countMisaligned(l2Table, 1);
      return false;
    }
    if (references.isStrict()
        ? l2Table > references.fileBytes() - geometry.clusterBytes()
        : references.isPastEnd(l2Table, geometry.clusterBytes())) {
      references.hiding(
          lostTable(table, index, l2Table, "ends past the end of the file"),
          Fix.Words.one(word, 0));
      return false;
    }
    long cluster = l2Table >>> geometry.clusterBits();
    if (references.structures().contains(cluster)) {
      String problem =
          "overlaps another structure of the image: " + references.structures().nameOf(cluster);
      Finding finding =
          lostTable(table, index, l2Table, problem).times(references.overlapErrors(cluster, 1));
      references.hiding(finding, relocation(word, entry, l2Table));
    } else if (!references.isStrict()
        && header.refcountOrder() < 6
        && references.l2Tables().get(cluster) >= (1L << header.refcountBits()) - 1) {
      references.harmless(
          finding(
                  table,
                  index,
                  references.text(
                      "the L2 table at host offset 0x%x is shared more often than its refcount can"
                          + " say",
                      l2Table),
                  "")
              .times(0),
          relocation(word, entry, l2Table));
    }
    return true;
  }

  private Finding lostTable(L1Table table, long index, long l2Table, String problem) {
    return finding(
        table,
        index,
        references.text("the L2 table at host offset 0x%x %s", l2Table, problem),
        references.text(
            "%d bytes of the disk from there on are lost", 1L << geometry.l1EntryBits()));
  }

  private Fix relocation(long word, long entry, long l2Table) {
    return new Fix.Relocate(
        word, entry, Fix.Relocate.Pointer.L1_ENTRY, l2Table, geometry.clusterBytes(), false);
  }
}
