package org.qcowfs.check;

import java.io.IOException;
import org.qcowfs.format.Header;
import org.qcowfs.storage.BlockStorage;

/**
 * Counts what the internal snapshots of an image refer to: their table and their L1 tables.
 *
 * <p>Thread rules: used by one thread.
 */
final class SnapshotReferences {
  private static final String TABLE = "Snapshot table";

  private final ReferenceCounter references;
  private final BlockStorage storage;
  private final Header header;

  SnapshotReferences(ReferenceCounter references, BlockStorage storage, Header header) {
    this.references = references;
    this.storage = storage;
    this.header = header;
  }

  /** Counts the snapshot table and every L1 table that it names. */
  void add() throws IOException {
    if (header.snapshotCount() == 0) {
      return;
    }
    if (header.hasDataFile()) {
      references.harmless(
          Finding.corruption(
              TABLE,
              header.snapshotTableOffset(),
              "%d snapshots of a disk with an external data file".formatted(header.snapshotCount()),
              "they change with the disk"),
          Fix.Part.NONE);
    }
    SnapshotScan scan = SnapshotScan.read(storage, header);
    references.addStructure(
        TABLE, header.snapshotTableOffset(), scan.bytes(), Fix.Part.SNAPSHOT_TABLE);
    for (SnapshotScan.Entry entry : scan.entries()) {
      add(entry);
    }
    if (scan.lost() > 0) {
      references.hiding(
          Finding.corruption(
                  TABLE,
                  header.snapshotTableOffset(),
                  "ends past the end of the file or of the largest possible table",
                  scan.lost() + " snapshots are lost")
              .at(scan.entries().size()),
          Fix.Part.SNAPSHOT_TABLE);
    }
  }

  private void add(SnapshotScan.Entry entry) throws IOException {
    String harmless = entry.flaw(header.version());
    if (harmless != null) {
      references.harmless(finding(entry, harmless, ""), Fix.Part.SNAPSHOT_TABLE);
    }
    String problem = entry.problem(references.fileBytes(), header.geometry());
    if (problem != null) {
      references.hiding(finding(entry, problem, "the snapshot is lost"), Fix.Part.SNAPSHOT_TABLE);
      if (!entry.isAligned(header.geometry())
          || entry.l1Bytes() > org.qcowfs.format.Limits.L1_TABLE_BYTES) {
        return;
      }
    }
    ReferenceCounter.L1Table table =
        new ReferenceCounter.L1Table(entry.l1TableOffset(), entry.l1Entries(), entry.index());
    if (problem != null) {
      references.addUncountedL1Table(table);
    } else {
      references.addL1Table(
          table,
          new Fix.Relocate(
              entry.hostOffset(),
              entry.l1TableOffset(),
              Fix.Relocate.Pointer.PLAIN,
              entry.l1TableOffset(),
              references.wholeClusters(entry.l1Bytes()),
              false));
    }
  }

  private Finding finding(SnapshotScan.Entry entry, String problem, String consequence) {
    String named =
        entry.name().isEmpty() ? problem : "snapshot '%s': %s".formatted(entry.name(), problem);
    return Finding.corruption(TABLE, header.snapshotTableOffset(), named, consequence)
        .at(entry.index());
  }
}
