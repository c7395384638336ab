package org.qcowfs.it.malformed;

import static org.qcowfs.it.malformed.BaseImage.PLAIN;
import static org.qcowfs.it.malformed.MalformedImage.number;
import static org.qcowfs.it.malformed.MalformedImage.refused;

import java.util.ArrayList;
import java.util.List;
import org.qcowfs.it.kit.ImageEditor;

/** The fixed fields of the header. */
final class HeaderCases {
  private static final String BACKING_NAME = "backing.?file.?(name|size|offset|length)?";

  private HeaderCases() {}

  static List<MalformedImage> all() {
    List<MalformedImage> all = new ArrayList<>();
    addIdentity(all);
    addGeometry(all);
    addBackingName(all);
    addEncryption(all);
    addL1(all);
    addRefcountTable(all);
    addSnapshotTable(all);
    addLengths(all);
    return all;
  }

  private static void addIdentity(List<MalformedImage> all) {
    all.add(refused("magic is not QFI\\xfb", PLAIN, e -> e.put32(0, 0x51464900), "format|magic"));
    all.add(refused("file is empty", PLAIN, e -> e.truncate(0), "empty|format|header|bytes"));
    all.add(refused("file ends in the header", PLAIN, e -> e.truncate(50), "header", "50"));
    all.add(refused("file ends after the v2 header", PLAIN, e -> e.truncate(72), "header", "72"));
    addField(all, "version", ImageEditor.VERSION, 0, 1, 4, 0xffff_ffffL);
  }

  private static void addGeometry(List<MalformedImage> all) {
    addField(all, "cluster_bits", ImageEditor.CLUSTER_BITS, 0, 8, 22, 64, 0xffff_ffffL);
    addField(all, "refcount_order", ImageEditor.REFCOUNT_ORDER, 7, 0xffff_ffffL);
    for (long size : new long[] {-512, Long.MIN_VALUE, Long.MAX_VALUE - 511}) {
      all.add(
          refused(
              "size " + Long.toHexString(size),
              PLAIN,
              e -> e.put64(ImageEditor.SIZE, size),
              "size|L1"));
    }
  }

  private static void addBackingName(List<MalformedImage> all) {
    all.add(
        refused(
            "backing file name of 1024 bytes",
            PLAIN,
            e -> backing(e, 0x200, 1024),
            BACKING_NAME,
            number(1024)));
    all.add(
        refused(
            "backing file name beyond the first cluster",
            PLAIN,
            e -> backing(e, 0x10000, 8),
            BACKING_NAME,
            "first cluster"));
    all.add(
        refused(
            "backing file name across the end of the first cluster",
            PLAIN,
            e -> backing(e, 0xfffc, 8),
            BACKING_NAME));
    all.add(
        refused(
            "backing file name at an offset of 2^63",
            PLAIN,
            e -> backing(e, Long.MIN_VALUE, 8),
            BACKING_NAME));
  }

  private static void backing(ImageEditor editor, long offset, int size) {
    editor.put64(ImageEditor.BACKING_FILE_OFFSET, offset);
    editor.put32(ImageEditor.BACKING_FILE_SIZE, size);
  }

  private static void addEncryption(List<MalformedImage> all) {
    all.add(
        refused(
            "encrypted with AES",
            PLAIN,
            e -> e.put32(ImageEditor.CRYPT_METHOD, 1),
            "encrypt",
            "AES"));
    all.add(
        refused(
            "encrypted with LUKS",
            PLAIN,
            e -> e.put32(ImageEditor.CRYPT_METHOD, 2),
            "encrypt",
            "LUKS"));
    all.add(
        refused(
            "encrypted with method 3",
            PLAIN,
            e -> e.put32(ImageEditor.CRYPT_METHOD, 3),
            "crypt",
            number(3)));
  }

  private static void addL1(List<MalformedImage> all) {
    addField(all, "l1_size", ImageEditor.L1_SIZE, 0, 4_194_305, 0x7fff_ffff, 0xffff_ffffL);
    addOffset(
        all, "L1[ _]table", ImageEditor.L1_TABLE_OFFSET, 0x30200, -0x10000, 0x7fff_ffff_ffff_0000L);
    all.add(
        refused(
            "L1 table past the end of the file",
            PLAIN,
            e -> e.put64(ImageEditor.L1_TABLE_OFFSET, 0x4000_0000),
            "L1 table",
            number(0x4000_0000)));
  }

  private static void addRefcountTable(List<MalformedImage> all) {
    addOffset(all, "refcount.?table", ImageEditor.REFCOUNT_TABLE_OFFSET, 0x10200, -0x10000);
    for (long clusters : new long[] {0, 129, 0x20001, 0xffff_ffffL}) {
      all.add(
          refused(
              "refcount table of " + clusters + " clusters",
              PLAIN,
              e -> e.put32(ImageEditor.REFCOUNT_TABLE_CLUSTERS, clusters),
              "refcount.?table",
              number(clusters)));
    }
  }

  private static void addSnapshotTable(List<MalformedImage> all) {
    addField(all, "nb_snapshots", ImageEditor.NB_SNAPSHOTS, 65_537, 0xffff_ffffL);
    addOffset(all, "snapshot", ImageEditor.SNAPSHOTS_OFFSET, 0x30200, -0x10000);
  }

  private static void addLengths(List<MalformedImage> all) {
    addField(all, "header_length", ImageEditor.HEADER_LENGTH, 0, 103, 0x10008, 0xffff_ffffL);
  }

  private static void addField(List<MalformedImage> all, String field, int offset, long... values) {
    String name = field.replace("_", "[_ ]");
    for (long value : values) {
      all.add(
          refused(field + " " + value, PLAIN, e -> e.put32(offset, value), name, number(value)));
    }
  }

  private static void addOffset(
      List<MalformedImage> all, String table, int field, long... offsets) {
    for (long offset : offsets) {
      all.add(
          refused(
              "offset field " + field + " holds " + Long.toHexString(offset),
              PLAIN,
              e -> e.put64(field, offset),
              table,
              number(offset)));
    }
  }
}
