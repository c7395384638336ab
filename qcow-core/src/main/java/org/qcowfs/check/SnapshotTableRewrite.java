package org.qcowfs.check;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.qcowfs.format.Header;
import org.qcowfs.format.Limits;
import org.qcowfs.format.SnapshotEntry;
import org.qcowfs.storage.BlockStorage;

/**
 * A snapshot table without the snapshots that cannot be read, and with the extra data that the
 * format asks for. Unknown extra data is kept up to the limit of 1024 bytes.
 */
final class SnapshotTableRewrite {
  private static final int EXTRA_SIZE = 36;
  private static final int VM_STATE_BYTES = 32;
  private static final int EXTRA_BYTES_V3 = 16;
  private static final int TOLD_MAX = 100;

  private final BlockStorage storage;
  private final Header header;
  private final ByteArrayOutputStream table = new ByteArrayOutputStream();
  private final List<String> done = new ArrayList<>();
  private int count;
  private int untold;

  SnapshotTableRewrite(BlockStorage storage, Header header) throws IOException {
    this.storage = storage;
    this.header = header;
    SnapshotScan scan = SnapshotScan.read(storage, header);
    for (SnapshotScan.Entry entry : scan.entries()) {
      String problem = entry.problem(storage.size(), header.geometry());
      if (problem == null) {
        keep(entry);
      } else {
        tell("snapshot '%s' (ID '%s') removed: %s", entry.name(), entry.id(), problem);
      }
    }
    if (untold > 0) {
      done.add("and so on: %d more of the snapshots removed or changed".formatted(untold));
    }
    if (scan.lost() > 0) {
      done.add(scan.lost() + " unreadable snapshots removed");
    }
  }

  /** A table of garbage may have tens of thousands of entries. */
  @FormatMethod
  private void tell(@FormatString String text, Object... values) {
    if (done.size() < TOLD_MAX) {
      done.add(text.formatted(values));
    } else {
      untold++;
    }
  }

  private void keep(SnapshotScan.Entry entry) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(SnapshotEntry.HEAD_BYTES).order(ByteOrder.BIG_ENDIAN);
    storage.readFully(head, entry.hostOffset());
    int oldExtra = SnapshotEntry.keptExtraBytes(head.flip());
    int newExtra = header.version() >= 3 ? Math.max(EXTRA_BYTES_V3, oldExtra) : oldExtra;
    int names = SnapshotEntry.idAndNameBytes(head);
    ByteBuffer extra = ByteBuffer.allocate(newExtra).order(ByteOrder.BIG_ENDIAN);
    storage.readFully(extra.limit(oldExtra), entry.hostOffset() + SnapshotEntry.HEAD_BYTES);
    extra.clear();
    if (newExtra > oldExtra) {
      if (oldExtra < Long.BYTES) {
        extra.putLong(0, head.getInt(VM_STATE_BYTES) & 0xffff_ffffL);
      }
      extra.putLong(Long.BYTES, header.virtualSize());
      tell("snapshot '%s': size of its disk taken from the disk", entry.name());
    }
    if (entry.extraBytes() > Limits.SNAPSHOT_EXTRA_BYTES) {
      tell("snapshot '%s': extra data cut to 1024 bytes", entry.name());
    }
    ByteBuffer text = ByteBuffer.allocate(names);
    storage.readFully(text, entry.hostOffset() + SnapshotEntry.unpaddedBytes(head) - names);
    head.putInt(EXTRA_SIZE, newExtra);
    table.writeBytes(head.array());
    table.writeBytes(extra.array());
    table.writeBytes(text.array());
    while (table.size() % Long.BYTES != 0) {
      table.write(0);
    }
    count++;
  }

  /** The new table; empty where no snapshot is left. */
  ByteBuffer bytes() {
    return ByteBuffer.wrap(table.toByteArray());
  }

  int count() {
    return count;
  }

  /** What has changed, a line each. */
  List<String> done() {
    return done;
  }
}
