package org.qcowfs.testkit.hostile;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.qcowfs.testkit.BitmapSpec;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SnapshotSpec;
import org.qcowfs.testkit.TestImage;

/** Small valid images of every kind, wholly given by the random numbers. */
final class ValidImage {
  static final int EXTENSION_LEAK_RANGE = 0x71636c6b;
  private static final int NOISE_BYTES_MAX = 1 << 14;

  private final SplittableRandom random;
  private final boolean extendedL2;
  private final int clusterBits;
  private final boolean version3;
  private final boolean hasDataFile;
  private final long virtualSize;
  private final int refcountOrder;
  private final byte[] noise;
  private final ImageBuilder builder;

  private ValidImage(SplittableRandom random) {
    this.random = random;
    this.extendedL2 = oneIn(4);
    this.clusterBits = extendedL2 ? 14 : oneIn(32) ? 21 : random.nextInt(9, 14);
    this.version3 = extendedL2 || !oneIn(4);
    this.hasDataFile = version3 && oneIn(8);
    long clusters = clusterBits == 21 ? 10 : random.nextInt(20, 140);
    this.virtualSize = (clusters << clusterBits) - random.nextInt(3) * 512L;
    this.refcountOrder = version3 ? random.nextInt(7) : 4;
    this.noise = new byte[Math.min(1 << clusterBits, NOISE_BYTES_MAX)];
    this.builder =
        new ImageBuilder(version3 ? 3 : 2, clusterBits)
            .virtualSize(virtualSize)
            .refcountOrder(refcountOrder);
    random.nextBytes(noise);
  }

  static TestImage of(SplittableRandom random) {
    ValidImage image = new ValidImage(random);
    image.addFeatures();
    image.addClusters();
    if (!image.hasDataFile && random.nextBoolean()) {
      image.addSnapshots();
    }
    return image.builder.build();
  }

  private boolean oneIn(int number) {
    return random.nextInt(number) == 0;
  }

  private void addFeatures() {
    builder.extension(0x1234, new byte[8]).featureName(0, 0, "dirty bit");
    if (extendedL2) {
      builder.extendedL2();
    }
    if (version3 && oneIn(3)) {
      builder.zstd();
    }
    if (oneIn(4)) {
      builder.scattered();
    }
    if (oneIn(4)) {
      builder.backing(ReferredFiles.BASE, "raw");
    }
    if (hasDataFile) {
      builder.dataFile(ReferredFiles.DATA);
    }
    if (version3 && oneIn(8)) {
      builder.incompatible(1).compatible(1);
    }
    if (version3 && oneIn(8)) {
      builder.extension(EXTENSION_LEAK_RANGE, new byte[] {0, 0, 0, 0, 0, 0, 0, 1});
    }
    if (version3 && oneIn(3)) {
      builder.bitmap(new BitmapSpec("day1", 16, 2, random.nextBoolean()));
    }
  }

  private void addClusters() {
    long last = (virtualSize - 1) >> clusterBits;
    builder.disk().data(0, noise).data(1, noise).data(5, noise).data(last, noise);
    if (version3) {
      builder.disk().zero(6).zeroPreallocated(7, noise);
    }
    if (extendedL2) {
      builder.disk().subclusters(8, noise, 0x0f0f, 0xf000_0000).subclusters(3, new byte[0], 0, 7);
    }
    // Two of them can lie in one cluster, which then counts as used twice.
    if (!hasDataFile && refcountOrder > 0) {
      builder.disk().compressed(2, noise).compressed(4, Arrays.copyOf(noise, 40));
    }
  }

  private void addSnapshots() {
    long diskBytes = 9L << clusterBits;
    builder.snapshot(SnapshotSpec.of("1", "one", diskBytes)).data(0, noise);
    builder.snapshot(new SnapshotSpec("2", "two", diskBytes, 16)).data(3, noise);
    if (refcountOrder > 1) {
      builder.sharedSnapshot(SnapshotSpec.of("3", "three", virtualSize));
    }
  }
}
