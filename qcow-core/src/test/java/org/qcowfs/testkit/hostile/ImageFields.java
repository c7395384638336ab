package org.qcowfs.testkit.hostile;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;

/** The numbers in a valid image, by the structure that they belong to. */
final class ImageFields {
  private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;
  private static final long COMPRESSED = 1L << 62;
  private static final int EXTENSION_BITMAPS = 0x23852875;

  private final SparseBytes file;
  private final TestImage image;
  private final Map<String, List<Field>> structures = new LinkedHashMap<>();

  private ImageFields(TestImage image) {
    this.image = image;
    this.file = image.bytes();
  }

  /** Every structure that the image has, none of them empty. */
  static Map<String, List<Field>> of(TestImage image) {
    ImageFields fields = new ImageFields(image);
    fields.addHeader();
    fields.addExtensions();
    fields.addBackingName();
    fields.addDisk("active", image.l1TableOffset(), fields.file.getInt(36));
    fields.addRefcounts();
    fields.addSnapshots();
    fields.addBitmaps();
    return fields.structures;
  }

  private void add(String structure, String field, long offset, int bytes) {
    structures
        .computeIfAbsent(structure, name -> new ArrayList<>())
        .add(new Field(structure + " " + field, offset, bytes));
  }

  private void addHeader() {
    String[] words = {"version", "cluster_bits", "crypt_method", "l1_size", "snapshot count"};
    int[] wordOffsets = {4, 20, 32, 36, 60};
    for (int i = 0; i < words.length; i++) {
      add("header", words[i], wordOffsets[i], Integer.BYTES);
    }
    add("header", "backing_file_size", 16, Integer.BYTES);
    add("header", "refcount_table_clusters", 56, Integer.BYTES);
    add("header", "backing_file_offset", 8, Long.BYTES);
    add("header", "size", 24, Long.BYTES);
    add("header", "l1_table_offset", 40, Long.BYTES);
    add("header", "refcount_table_offset", 48, Long.BYTES);
    add("header", "snapshots_offset", 64, Long.BYTES);
    if (file.getInt(4) >= 3) {
      add("header", "incompatible_features", 72, Long.BYTES);
      add("header", "compatible_features", 80, Long.BYTES);
      add("header", "autoclear_features", 88, Long.BYTES);
      add("header", "refcount_order", 96, Integer.BYTES);
      add("header", "header_length", 100, Integer.BYTES);
      add("header", "compression_type", 104, Byte.BYTES);
    }
  }

  private void addExtensions() {
    for (long head : image.extensionOffsets().values()) {
      add("extension", "type", head, Integer.BYTES);
      add("extension", "length", head + 4, Integer.BYTES);
      for (long at = head + 8; at < head + 8 + file.getInt(head + 4); at += Integer.BYTES) {
        add("extension", "data", at, Integer.BYTES);
      }
    }
  }

  private void addBackingName() {
    long name = file.getLong(8);
    for (long at = name; at < name + file.getInt(16); at += Integer.BYTES) {
      add("backing file name", "part", at, Integer.BYTES);
    }
  }

  /** The L1 table, its L2 tables, and the first bytes of compressed clusters. */
  private void addDisk(String disk, long l1Table, int l1Entries) {
    for (int i = 0; i < l1Entries; i++) {
      long entry = l1Table + (long) i * Long.BYTES;
      add(disk + " L1 entry", Integer.toString(i), entry, Long.BYTES);
      long l2Table = file.getLong(entry) & OFFSET_MASK;
      if (l2Table != 0) {
        addL2Table(disk, l2Table);
      }
    }
  }

  private void addL2Table(String disk, long l2Table) {
    int words = Math.min(1 << (image.clusterBits() - 3), 64);
    for (int i = 0; i < words; i++) {
      long at = l2Table + (long) i * Long.BYTES;
      long entry = file.getLong(at);
      boolean bitmap = image.extendedL2() && i % 2 == 1;
      add(disk + (bitmap ? " subclusters" : " L2 entry"), Integer.toString(i), at, Long.BYTES);
      if (!bitmap && (entry & COMPRESSED) != 0) {
        long data = entry & ((1L << (62 - (image.clusterBits() - 8))) - 1);
        for (int part = 0; part < 8; part++) {
          add(disk + " compressed data", Integer.toString(part), data + part * 5L, Integer.BYTES);
        }
      }
    }
  }

  private void addRefcounts() {
    long table = image.refcountTableOffset();
    for (int i = 0; i < 4; i++) {
      add("refcount table entry", Integer.toString(i), table + (long) i * Long.BYTES, Long.BYTES);
      long block = file.getLong(table + (long) i * Long.BYTES) & OFFSET_MASK;
      for (int part = 0; part < 16 && block != 0; part++) {
        add("refcount block", Integer.toString(part), block + (long) part * 4, Integer.BYTES);
      }
    }
  }

  private void addSnapshots() {
    for (long entry : image.snapshotOffsets()) {
      add("snapshot", "l1_table_offset", entry, Long.BYTES);
      add("snapshot", "l1_size", entry + 8, Integer.BYTES);
      add("snapshot", "id length", entry + 12, Short.BYTES);
      add("snapshot", "name length", entry + 14, Short.BYTES);
      add("snapshot", "vm state size", entry + 32, Integer.BYTES);
      add("snapshot", "extra data size", entry + 36, Integer.BYTES);
      add("snapshot", "large vm state size", entry + 40, Long.BYTES);
      add("snapshot", "disk size", entry + 48, Long.BYTES);
      addDisk("snapshot", file.getLong(entry), file.getInt(entry + 8));
    }
  }

  private void addBitmaps() {
    Long extension = image.extensionOffsets().get(EXTENSION_BITMAPS);
    if (extension == null) {
      return;
    }
    add("bitmaps", "count", extension + 8, Integer.BYTES);
    add("bitmaps", "reserved", extension + 12, Integer.BYTES);
    add("bitmaps", "directory size", extension + 16, Long.BYTES);
    add("bitmaps", "directory offset", extension + 24, Long.BYTES);
    long entry = image.bitmapDirectoryOffset();
    add("bitmap", "table offset", entry, Long.BYTES);
    add("bitmap", "table size", entry + 8, Integer.BYTES);
    add("bitmap", "flags", entry + 12, Integer.BYTES);
    add("bitmap", "type", entry + 16, Byte.BYTES);
    add("bitmap", "granularity", entry + 17, Byte.BYTES);
    add("bitmap", "name size", entry + 18, Short.BYTES);
    add("bitmap", "extra data size", entry + 20, Integer.BYTES);
    long table = file.getLong(entry);
    add("bitmap", "table entry", table, Long.BYTES);
    if (file.getLong(table) != 0) {
      add("bitmap", "bits", file.getLong(table), Long.BYTES);
    }
  }
}
