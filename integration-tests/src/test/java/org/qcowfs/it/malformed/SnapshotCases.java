package org.qcowfs.it.malformed;

import static org.qcowfs.it.malformed.BaseImage.SNAPSHOT;
import static org.qcowfs.it.malformed.MalformedImage.mountedWithoutPart;
import static org.qcowfs.it.malformed.MalformedImage.number;
import static org.qcowfs.it.malformed.MalformedImage.readAsUsual;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.qcowfs.it.kit.ImageEditor;

/** The snapshot table: a broken entry costs that snapshot, never the disk. */
final class SnapshotCases {
  private static final int L1_OFFSET = 0;
  private static final int L1_SIZE = 8;
  private static final int ID_SIZE = 12;
  private static final int NAME_SIZE = 14;
  private static final int EXTRA_SIZE = 36;

  private static final long PAST_THE_END = 0x4000_0000;

  private SnapshotCases() {}

  static List<MalformedImage> all() {
    return List.of(
        readAsUsual(
            "snapshot without extra data", SNAPSHOT, e -> e.put32(e.snapshots() + EXTRA_SIZE, 0)),
        readAsUsual(
            "snapshot L2 table past the end",
            SNAPSHOT,
            e -> e.put64(e.get64(e.snapshots()), PAST_THE_END)),
        broken(
            "snapshot table past the end of the file",
            e -> e.put64(ImageEditor.SNAPSHOTS_OFFSET, PAST_THE_END),
            number(PAST_THE_END)),
        broken("more snapshots than entries", e -> e.put32(ImageEditor.NB_SNAPSHOTS, 2000)),
        entry64("snapshot L1 table not aligned", L1_OFFSET, 0x30200, number(0x30200)),
        entry64(
            "snapshot L1 table past the end of the file",
            L1_OFFSET,
            PAST_THE_END,
            number(PAST_THE_END)),
        entry32("snapshot L1 table of 0 entries", L1_SIZE, 0, number(0)),
        entry32("snapshot L1 table of 2^32-1 entries", L1_SIZE, 0xffff_ffffL, number(0xffff_ffffL)),
        entry32("snapshot L1 table of 4194305 entries", L1_SIZE, 4_194_305, number(4_194_305)),
        entry32("snapshot extra data of 64 KiB", EXTRA_SIZE, 65_536, number(65_536)),
        entry32("snapshot extra data of 2^32-1 bytes", EXTRA_SIZE, 0xffff_ffffL, "past the end"),
        broken("snapshot ID longer than the table", e -> e.put16(e.snapshots() + ID_SIZE, 65_535)),
        broken(
            "snapshot name longer than the table",
            e -> e.put16(e.snapshots() + NAME_SIZE, 65_535)));
  }

  private static MalformedImage entry64(String name, int field, long value, String... words) {
    return broken(name, e -> e.put64(e.snapshots() + field, value), words);
  }

  private static MalformedImage entry32(String name, int field, long value, String... words) {
    return broken(name, e -> e.put32(e.snapshots() + field, value), words);
  }

  private static MalformedImage broken(String name, Consumer<ImageEditor> damage, String... words) {
    String[] all = Arrays.copyOf(words, words.length + 1);
    all[words.length] = "snapshot";
    return mountedWithoutPart(name, SNAPSHOT, damage, all);
  }
}
