package org.qcowfs.it.malformed;

import static org.qcowfs.it.malformed.BaseImage.COMPRESSED;
import static org.qcowfs.it.malformed.BaseImage.EXTENDED_L2;
import static org.qcowfs.it.malformed.BaseImage.PLAIN;
import static org.qcowfs.it.malformed.MalformedImage.readAsUsual;
import static org.qcowfs.it.malformed.MalformedImage.unreadable;

import java.util.List;

/**
 * L2 tables and compressed clusters. They are read when the guest data is, so a bad entry costs its
 * own cluster and not the image.
 */
final class TableCases {
  private static final long PAST_THE_END = 0x4000_0000;
  private static final long COPIED = Long.MIN_VALUE;
  private static final long COMPRESSED_FLAG = 1L << 62;

  private TableCases() {}

  static List<MalformedImage> all() {
    return List.of(
        unreadable(
            "L2 entry not aligned to a cluster", PLAIN, e -> e.put64(e.l2(0), COPIED | 0x50200)),
        unreadable(
            "L2 entry past the end of the file",
            PLAIN,
            e -> e.put64(e.l2(0), COPIED | PAST_THE_END)),
        unreadable(
            "L2 entry at the last offset of all",
            PLAIN,
            e -> e.put64(e.l2(0), COPIED | 0x00ff_ffff_ffff_0000L)),
        unreadable(
            "extended L2 entry past the end of the file",
            EXTENDED_L2,
            e -> e.put64(e.l2(0), COPIED | PAST_THE_END)),
        unreadable(
            "subcluster both allocated and zero", EXTENDED_L2, e -> e.put64(e.l2(0) + 8, -1)),
        unreadable(
            "compressed cluster past the end of the file",
            COMPRESSED,
            e -> e.put64(e.l2(0), COMPRESSED_FLAG | PAST_THE_END)),
        unreadable(
            "compressed cluster at the last offset of all",
            COMPRESSED,
            e -> e.put64(e.l2(0), COMPRESSED_FLAG | 0x003f_ffff_ffff_ffffL)),
        unreadable(
            "compressed cluster of garbage",
            COMPRESSED,
            e -> e.put(e.get64(e.l2(0)) & 0x3f_ffff_ffff_ffffL, new byte[] {-1, -1, -1, -1})),
        readAsUsual(
            "compressed descriptor longer than the file",
            COMPRESSED,
            e -> e.or64(e.l2(0) + 16 * 8, 0xffL << 54)),
        readAsUsual("COPIED flag missing", PLAIN, e -> e.put64(e.l2(0), e.cluster(0))));
  }
}
