package org.qcowfs.check;

import java.util.Arrays;
import org.qcowfs.testkit.BitmapSpec;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SnapshotSpec;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;

/** Valid images of several shapes, for a test to break. */
enum CheckShape {
  SMALL(3, 9, 6, false),
  USUAL(3, 12, 4, false),
  OLD(2, 12, 4, true),
  EXTENDED(3, 14, 4, false),
  LARGE(3, 16, 3, false);

  final int version;
  final int clusterBits;
  final int refcountOrder;
  final boolean hasBacking;

  CheckShape(int version, int clusterBits, int refcountOrder, boolean hasBacking) {
    this.version = version;
    this.clusterBits = clusterBits;
    this.refcountOrder = refcountOrder;
    this.hasBacking = hasBacking;
  }

  boolean isExtended() {
    return this == EXTENDED;
  }

  long clusterBytes() {
    return 1L << clusterBits;
  }

  /** Guest clusters that one L2 table describes. */
  long perTable() {
    return clusterBytes() / (isExtended() ? 16 : 8);
  }

  private byte[] cluster(int value) {
    byte[] cluster = new byte[1 << clusterBits];
    Arrays.fill(cluster, (byte) value);
    return cluster;
  }

  TestImage build() {
    long virtualSize = (2 * perTable()) << clusterBits;
    ImageBuilder builder =
        new ImageBuilder(version, clusterBits)
            .refcountOrder(refcountOrder)
            .virtualSize(virtualSize);
    if (isExtended()) {
      builder.extendedL2();
      builder
          .disk()
          .subclusters(0, cluster(1), 0x0000_ffff, 0x00ff_0000)
          .subclusters(1, cluster(2), -1, 0)
          .subclusters(3, new byte[0], 0, 0xff)
          .compressed(4, cluster(3))
          .subclusters(perTable() + 2, cluster(4), -1, 0);
    } else {
      builder.disk().data(0, cluster(1)).data(1, cluster(2)).compressed(4, cluster(3));
      builder.disk().compressed(5, cluster(5)).data(perTable() + 2, cluster(4));
      if (version >= 3) {
        builder.disk().zero(2).zeroPreallocated(3, cluster(9));
      }
    }
    if (hasBacking) {
      builder.backing("base.raw", "raw");
    }
    builder.snapshot(SnapshotSpec.of("1", "one", virtualSize));
    builder.snapshot(SnapshotSpec.of("2", "two", virtualSize));
    if (version >= 3) {
      builder.bitmap(new BitmapSpec("day", 16, 2));
    }
    TestImage image = builder.build();
    shareWithSnapshot(image);
    return image;
  }

  /** Lets the second L2 table belong to the first snapshot too. */
  private void shareWithSnapshot(TestImage image) {
    SparseBytes bytes = image.bytes();
    long l1 = image.l1TableOffset();
    long copied = 1L << 63;
    long shared = bytes.getLong(l1 + 8);
    bytes.putLong(l1 + 8, shared & ~copied);
    long snapshotL1 = bytes.getLong(image.snapshotOffsets().get(0));
    bytes.putLong(snapshotL1 + 8, shared & ~copied);
    long table = shared & ~copied;
    long at = table + 2L * (isExtended() ? 16 : 8);
    long entry = bytes.getLong(at);
    bytes.putLong(at, entry & ~copied);
    setRefcount(image, table, 2);
    setRefcount(image, entry & ~copied, 2);
  }

  /** Where the refcount of a cluster lies, for widths of a byte and more. */
  long refcountOffset(TestImage image, long hostOffset) {
    long cluster = hostOffset >> clusterBits;
    long perBlock = (clusterBytes() * 8) >> refcountOrder;
    long block = image.bytes().getLong(image.refcountTableOffset() + cluster / perBlock * 8);
    return block + ((cluster % perBlock) << refcountOrder) / 8;
  }

  void setRefcount(TestImage image, long hostOffset, int value) {
    long at = refcountOffset(image, hostOffset);
    switch (refcountOrder) {
      case 3 -> image.bytes().putByte(at, value);
      case 4 -> image.bytes().putShort(at, value);
      case 6 -> image.bytes().putLong(at, value);
      default -> throw new IllegalStateException("refcount order " + refcountOrder);
    }
  }
}
