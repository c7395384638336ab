package org.qcowfs.check;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;

/**
 * One field of a valid image set to one wrong value.
 *
 * @param place which field
 * @param bytes its width
 */
record Mutation(CheckShape shape, String place, long hostOffset, int bytes, long value) {
  private static final long COPIED = 1L << 63;

  /** The broken image. */
  TestImage apply() {
    TestImage image = shape.build();
    SparseBytes file = image.bytes();
    switch (bytes) {
      case 0 -> file.resize(value);
      case 1 -> file.putByte(hostOffset, (int) value);
      case 2 -> file.putShort(hostOffset, (int) value);
      case 4 -> file.putInt(hostOffset, (int) value);
      default -> file.putLong(hostOffset, value);
    }
    return image;
  }

  @Override
  public String toString() {
    return "%s %s := 0x%x".formatted(shape, place, value);
  }

  private record Field(long hostOffset, int bytes) {}

  /** Every mutation of every field of a shape. */
  static List<Mutation> of(CheckShape shape) {
    TestImage image = shape.build();
    List<Mutation> all = new ArrayList<>();
    fields(shape, image)
        .forEach(
            (place, field) -> {
              long old = old(image, field);
              Set<Long> values = new LinkedHashSet<>();
              if (field.bytes == 8) {
                offsets(shape, image, old, values);
              } else {
                numbers(field.bytes, old, values);
              }
              values.remove(old);
              for (long value : values) {
                all.add(new Mutation(shape, place, field.hostOffset, field.bytes, value));
              }
            });
    long end = image.bytes().size();
    for (long size :
        new long[] {end - 1, end - shape.clusterBytes(), end / 2, shape.clusterBytes()}) {
      all.add(new Mutation(shape, "file size", 0, 0, size));
    }
    return all;
  }

  private static long old(TestImage image, Field field) {
    long word = image.bytes().getLong(field.hostOffset);
    return field.bytes == 8 ? word : word >>> (64 - 8 * field.bytes);
  }

  private static void numbers(int bytes, long old, Set<Long> values) {
    long max = (1L << (8 * bytes)) - 1;
    for (long value :
        new long[] {
          0,
          1,
          2,
          3,
          0x100,
          0x1000,
          0x1_0000,
          max / 4,
          max / 2,
          max / 2 + 1,
          max - 1,
          max,
          old + 1,
          old - 1,
          old * 2
        }) {
      values.add(value & max);
    }
  }

  /** The values of QEMU's fuzzer, and pointers aimed at other structures. */
  private static void offsets(CheckShape shape, TestImage image, long old, Set<Long> values) {
    long cluster = shape.clusterBytes();
    long end = image.bytes().size();
    for (long value :
        new long[] {
          0,
          1,
          0x100,
          0x200,
          0x1000,
          0x1_0000,
          0x10_0000,
          1L << 24,
          1L << 32,
          1L << 54,
          1L << 61,
          1L << 62,
          Long.MAX_VALUE,
          -1
        }) {
      values.add(value);
    }
    for (long place :
        new long[] {
          cluster,
          image.refcountTableOffset(),
          image.bytes().getLong(image.refcountTableOffset()),
          image.l1TableOffset(),
          image.l2EntryOffset(0),
          image.clusterOffset(0),
          image.clusterOffset(cluster),
          image.snapshotOffsets().get(0),
          image.bytes().getLong(image.snapshotOffsets().get(0)),
          image.bitmapDirectoryOffset(),
          end - cluster,
          end,
          end + cluster,
          end + (1 << 20)
        }) {
      values.add(place | (old & COPIED));
    }
    values.add(old + 512);
    values.add(old + cluster);
    for (int bit : new int[] {0, 1, 8, 9, 56, 61, 62, 63}) {
      values.add(old ^ (1L << bit));
    }
  }

  private static Map<String, Field> fields(CheckShape shape, TestImage image) {
    Map<String, Field> fields = new LinkedHashMap<>();
    headerFields(shape, fields);
    SparseBytes file = image.bytes();
    long cluster = shape.clusterBytes();
    fields.put("L1 entry 0", new Field(image.l1TableOffset(), 8));
    fields.put("L1 entry 1", new Field(image.l1TableOffset() + 8, 8));
    for (int guest : new int[] {0, 1, 2, 3, 4}) {
      fields.put("L2 entry " + guest, new Field(image.l2EntryOffset(guest * cluster), 8));
    }
    fields.put(
        "shared L2 entry", new Field(image.l2EntryOffset((shape.perTable() + 2) * cluster), 8));
    if (shape.isExtended()) {
      for (int guest : new int[] {0, 1, 2, 3, 4}) {
        fields.put("L2 bitmap " + guest, new Field(image.l2EntryOffset(guest * cluster) + 8, 8));
      }
    }
    long table = image.refcountTableOffset();
    fields.put("refcount table entry 0", new Field(table, 8));
    fields.put("refcount table entry 1", new Field(table + 8, 8));
    int width = (1 << shape.refcountOrder) >> 3;
    Map<String, Long> counted = new LinkedHashMap<>();
    counted.put("header", 0L);
    counted.put("refcount table", table);
    counted.put("refcount block", file.getLong(table));
    counted.put("L1 table", image.l1TableOffset());
    counted.put("L2 table", image.l2EntryOffset(0));
    counted.put("data", image.clusterOffset(0));
    counted.put("shared data", image.clusterOffset((shape.perTable() + 2) * cluster));
    counted.put("snapshot table", image.snapshotOffsets().get(0));
    counted.put("nothing", file.size());
    counted.forEach(
        (name, offset) ->
            fields.put(
                "refcount of " + name, new Field(shape.refcountOffset(image, offset), width)));
    long snapshot = image.snapshotOffsets().get(0);
    fields.put("snapshot L1 offset", new Field(snapshot, 8));
    fields.put("snapshot L1 size", new Field(snapshot + 8, 4));
    fields.put("snapshot ID size", new Field(snapshot + 12, 2));
    fields.put("snapshot name size", new Field(snapshot + 14, 2));
    fields.put("snapshot extra size", new Field(snapshot + 36, 4));
    fields.put("snapshot disk size", new Field(snapshot + 48, 8));
    fields.put("snapshot L1 entry 1", new Field(file.getLong(snapshot) + 8, 8));
    fields.put("second snapshot L1 offset", new Field(image.snapshotOffsets().get(1), 8));
    if (image.bitmapDirectoryOffset() != 0) {
      bitmapFields(image, fields);
    }
    return fields;
  }

  private static void headerFields(CheckShape shape, Map<String, Field> fields) {
    fields.put("version", new Field(4, 4));
    fields.put("backing_file_offset", new Field(8, 8));
    fields.put("backing_file_size", new Field(16, 4));
    fields.put("cluster_bits", new Field(20, 4));
    fields.put("size", new Field(24, 8));
    fields.put("crypt_method", new Field(32, 4));
    fields.put("l1_size", new Field(36, 4));
    fields.put("l1_table_offset", new Field(40, 8));
    fields.put("refcount_table_offset", new Field(48, 8));
    fields.put("refcount_table_clusters", new Field(56, 4));
    fields.put("nb_snapshots", new Field(60, 4));
    fields.put("snapshots_offset", new Field(64, 8));
    if (shape.version >= 3) {
      fields.put("incompatible_features", new Field(72, 8));
      fields.put("compatible_features", new Field(80, 8));
      fields.put("autoclear_features", new Field(88, 8));
      fields.put("refcount_order", new Field(96, 4));
      fields.put("header_length", new Field(100, 4));
      fields.put("compression_type", new Field(104, 1));
    }
  }

  private static void bitmapFields(TestImage image, Map<String, Field> fields) {
    long extension = image.extensionOffset(ImageBuilder.EXTENSION_BITMAPS);
    fields.put("extension type", new Field(extension, 4));
    fields.put("extension length", new Field(extension + 4, 4));
    fields.put("nb_bitmaps", new Field(extension + 8, 4));
    fields.put("bitmap_directory_size", new Field(extension + 16, 8));
    fields.put("bitmap_directory_offset", new Field(extension + 24, 8));
    long directory = image.bitmapDirectoryOffset();
    fields.put("bitmap_table_offset", new Field(directory, 8));
    fields.put("bitmap_table_size", new Field(directory + 8, 4));
    fields.put("bitmap flags", new Field(directory + 12, 4));
    fields.put("bitmap granularity", new Field(directory + 17, 1));
    fields.put("bitmap name size", new Field(directory + 18, 2));
    fields.put("bitmap extra size", new Field(directory + 20, 4));
    fields.put("bitmap table entry", new Field(image.bytes().getLong(directory), 8));
  }
}
