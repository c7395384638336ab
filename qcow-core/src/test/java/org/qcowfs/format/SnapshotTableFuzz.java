package org.qcowfs.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.testkit.fuzz.FuzzInput;

/**
 * Fuzz target: a byte for the cluster size, then a snapshot table, entry behind entry as a reader
 * takes them.
 */
public final class SnapshotTableFuzz {
  private SnapshotTableFuzz() {}

  /** One case. */
  public static void fuzzerTestOneInput(byte[] data) {
    FuzzInput input = new FuzzInput(data);
    ClusterGeometry geometry = new ClusterGeometry(input.nextIn(9, 21), false);
    ByteBuffer table = ByteBuffer.wrap(input.rest());
    long offset = 0;
    while (offset + SnapshotEntry.HEAD_BYTES <= table.limit()) {
      ByteBuffer rest = table.slice((int) offset, table.limit() - (int) offset);
      long unpadded = SnapshotEntry.unpaddedBytes(rest);
      long bytes = SnapshotEntry.entryBytes(rest);
      assertThat(bytes - unpadded).isBetween(0L, 7L);
      if (unpadded > rest.limit()) {
        return;
      }
      decode(rest, unpadded, geometry);
      offset += bytes;
    }
  }

  private static void decode(ByteBuffer rest, long unpadded, ClusterGeometry geometry) {
    int names = SnapshotEntry.idAndNameBytes(rest);
    int kept = SnapshotEntry.HEAD_BYTES + SnapshotEntry.keptExtraBytes(rest);
    assertThat(kept + names).isLessThan(160 << 10);
    ByteBuffer whole = ByteBuffer.allocate(kept + names);
    whole.put(rest.slice(0, kept)).put(rest.slice((int) unpadded - names, names));
    SnapshotEntry entry = SnapshotEntry.decode(whole.flip());
    assertThat(entry.l1TableOffset()).isEqualTo(SnapshotEntry.l1TableOffset(rest));
    assertThat(entry.l1Entries()).isEqualTo(SnapshotEntry.l1Entries(rest));
    long fileBytes = 1 << 30;
    if (entry.problem(geometry, fileBytes).isEmpty()) {
      assertThat(entry.l1TableOffset()).isBetween(0L, fileBytes);
      assertThat(entry.l1TableOffset() + entry.l1Entries() * Long.BYTES).isBetween(0L, fileBytes);
      assertThat(entry.diskBytes().orElse(0L)).isNotNegative();
    }
  }
}
