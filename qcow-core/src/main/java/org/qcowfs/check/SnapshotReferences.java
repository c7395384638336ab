package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.Header;
import org.qcowfs.format.Limits;
import org.qcowfs.format.SnapshotEntry;
import org.qcowfs.storage.BlockStorage;

/** Counts what the internal snapshots of an image refer to: their table and their L1 tables. */
final class SnapshotReferences {
  private SnapshotReferences() {}

  /** Counts the snapshot table, every L1 table that it names, and the L2 tables that those name. */
  static void addTo(ReferenceCounter references, BlockStorage storage, Header header)
      throws IOException {
    long start = header.snapshotTableOffset();
    long offset = start;
    long end = start;
    for (int index = 0; index < header.snapshotCount(); index++) {
      ByteBuffer head = ByteBuffer.allocate(SnapshotEntry.HEAD_BYTES);
      boolean headInFile = storage.read(head, offset) == SnapshotEntry.HEAD_BYTES;
      end = headInFile ? offset + SnapshotEntry.unpaddedBytes(head.flip()) : Long.MAX_VALUE;
      if (end > storage.size() || end - start > Limits.SNAPSHOT_TABLE_BYTES) {
        throw new CorruptImageException(
            "Snapshot table",
            start,
            "entry %d ends past the end of the file or of the largest possible table"
                .formatted(index));
      }
      addL1Table(references, start, index, head);
      offset += SnapshotEntry.entryBytes(head);
    }
    if (end > start) {
      references.addStructure("Snapshot table", start, end - start);
    }
  }

  private static void addL1Table(
      ReferenceCounter references, long table, int index, ByteBuffer head) throws IOException {
    long entries = SnapshotEntry.l1Entries(head);
    if (entries * Long.BYTES > Limits.L1_TABLE_BYTES) {
      throw new CorruptImageException(
          "Snapshot table",
          table,
          "the L1 table of entry %d has %d entries, more than the limit of 4194304"
              .formatted(index, entries));
    }
    references.addL1Table(SnapshotEntry.l1TableOffset(head), entries);
  }
}
