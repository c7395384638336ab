package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.qcowfs.format.Header;
import org.qcowfs.format.Limits;
import org.qcowfs.format.SnapshotEntry;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * The snapshot table as far as it can be read.
 *
 * @param bytes its length up to the last entry that can be read
 * @param lost how many entries of it cannot be read
 */
record SnapshotScan(List<Entry> entries, long bytes, int lost) {
  private static final int EXTRA_BYTES_V3 = 16;

  /**
   * An entry.
   *
   * @param hostOffset where it starts
   * @param bytes its length, padding included
   * @param extraBytes length of its extra data, as stored
   */
  record Entry(
      int index,
      long hostOffset,
      long bytes,
      String id,
      String name,
      long l1TableOffset,
      long l1Entries,
      long extraBytes) {
    long l1Bytes() {
      return l1Entries * Long.BYTES;
    }

    boolean isAligned(ClusterGeometry geometry) {
      return geometry.isClusterAligned(l1TableOffset);
    }

    boolean isEmpty() {
      return id.isEmpty() && l1Entries == 0;
    }

    /** What is wrong but keeps nobody from reading the snapshot, or null. */
    @Nullable String flaw(int version) {
      if (isEmpty()) {
        return null;
      }
      if (version >= 3 && extraBytes < EXTRA_BYTES_V3) {
        return "has %d bytes of extra data, version 3 needs 16".formatted(extraBytes);
      }
      return extraBytes > Limits.SNAPSHOT_EXTRA_BYTES
          ? "has %d bytes of extra data, more than the limit of 1024".formatted(extraBytes)
          : null;
    }

    /** Why the snapshot cannot be read, or null. */
    @Nullable String problem(long fileBytes, ClusterGeometry geometry) {
      if (isEmpty()) {
        return "has neither an ID nor an L1 table";
      }
      String table = "its L1 table, host offset 0x%x with %d entries, ";
      if (!isAligned(geometry)) {
        return table.formatted(l1TableOffset, l1Entries) + "is not aligned to a cluster";
      }
      if (l1Bytes() > Limits.L1_TABLE_BYTES) {
        return table.formatted(l1TableOffset, l1Entries) + "has more than the limit of 4194304";
      }
      if (l1TableOffset < 0
          || (l1Bytes() > 0 && l1TableOffset - fileBytes >= geometry.clusterBytes() - l1Bytes())) {
        return table.formatted(l1TableOffset, l1Entries) + "ends past the end of the file";
      }
      return null;
    }
  }

  /** Reads the table, one head after the other. */
  static SnapshotScan read(BlockStorage storage, Header header) throws IOException {
    List<Entry> entries = new ArrayList<>();
    long start = header.snapshotTableOffset();
    long offset = start;
    long end = start;
    ByteBuffer head = ByteBuffer.allocate(SnapshotEntry.HEAD_BYTES);
    for (int index = 0; index < header.snapshotCount(); index++) {
      boolean inFile = storage.read(head.clear(), offset) == SnapshotEntry.HEAD_BYTES;
      long entryEnd = inFile ? offset + SnapshotEntry.unpaddedBytes(head.flip()) : Long.MAX_VALUE;
      if (entryEnd > storage.size() || entryEnd - start > Limits.SNAPSHOT_TABLE_BYTES) {
        return new SnapshotScan(entries, end - start, header.snapshotCount() - index);
      }
      end = entryEnd;
      entries.add(entry(storage, index, offset, head));
      offset += SnapshotEntry.entryBytes(head);
    }
    return new SnapshotScan(entries, end - start, 0);
  }

  private static Entry entry(BlockStorage storage, int index, long offset, ByteBuffer head)
      throws IOException {
    int names = SnapshotEntry.idAndNameBytes(head);
    String id = "";
    String name = "";
    // A hole full of entries without names shall cost next to nothing.
    if (names > 0) {
      SnapshotEntry decoded = decode(storage, offset, head, names);
      id = decoded.id();
      name = decoded.name();
    }
    return new Entry(
        index,
        offset,
        SnapshotEntry.entryBytes(head),
        id,
        name,
        SnapshotEntry.l1TableOffset(head),
        SnapshotEntry.l1Entries(head),
        SnapshotEntry.extraBytes(head));
  }

  private static SnapshotEntry decode(BlockStorage storage, long offset, ByteBuffer head, int names)
      throws IOException {
    int kept = SnapshotEntry.HEAD_BYTES + SnapshotEntry.keptExtraBytes(head);
    ByteBuffer whole = ByteBuffer.allocate(kept + names);
    storage.readFully(whole.limit(kept), offset);
    storage.readFully(
        whole.limit(kept + names), offset + SnapshotEntry.unpaddedBytes(head) - names);
    return SnapshotEntry.decode(whole.flip());
  }
}
