package org.qcowfs.it.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.qcowfs.it.kit.Accelerator;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.DiskFile;
import org.qcowfs.it.kit.Json;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.Seed;
import org.qcowfs.it.kit.SparseFile;

/**
 * Each shape of image shows through a real mount what QEMU reads from it, and says what QEMU says.
 */
@NeedsMounts
@Accelerator.BothWays
@Execution(ExecutionMode.CONCURRENT)
final class ImageMatrixTest {
  /** Each pair of property values is in so many images at least. */
  private static final int TIMES = 2;

  static List<ImageVariant> variants() {
    return Accelerator.choose(
        PairCover.choose(
            ImageVariant.allLegal(), ImageVariant::values, TIMES, Seed.random("variants")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("variants")
  void theMountShowsWhatQemuReadsAndWithoutWritesChangesNothing(ImageVariant variant) {
    SplittableRandom random = Seed.random(variant.toString());
    try (VariantImage made = VariantImage.create(variant, random)) {
      Map<Path, String> before = hashes(made.files());

      try (MountedImage mount = MountedImage.mount(made.image(), "ro")) {
        assertDisksEqual(made, mount, random);
        assertDescriptionsEqual(made.image(), mount);
      }
      assertThat(hashes(made.files())).isEqualTo(before);

      if (WriteTrial.isWritable(variant)) {
        useWithoutWriting(made.image(), variant.bitmap() ? "drop_bitmaps" : "rw");
        assertThat(hashes(made.files())).isEqualTo(before);
      }
    }
  }

  private static void assertDisksEqual(
      VariantImage made, MountedImage mount, SplittableRandom random) {
    Path expected = QemuImg.toRaw(made.image());
    DiskBytes.assertSameAtRandom(mount.disk(), expected, random);
    DiskBytes.assertSame(mount.disk(), expected);
    QemuImg.assertIdentical(mount.disk(), made.image());
    SparseFile.assertAsMapped(mount.disk(), QemuImg.map(made.image()));
    for (String name : made.snapshots()) {
      DiskBytes.assertSame(mount.snapshotDisk(name), QemuImg.snapshotToRaw(made.image(), name));
    }
  }

  private static void assertDescriptionsEqual(Path image, MountedImage mount) {
    String info = Qcowfs.run("info", "--json", image).succeeded().stdout();
    Json.assertSame("info --json", Json.parse(info), QemuImg.info(image));
    String map = Qcowfs.run("map", "--json", image).succeeded().stdout();
    Json.assertSame("map --json", Json.parse(map), QemuImg.map(image));
    Json.assertSame("info.json", Json.read(mount.file(".qcowfs/info.json")), QemuImg.info(image));
    Json.assertSame("map.json", Json.read(mount.file(".qcowfs/map.json")), QemuImg.map(image));
  }

  /** Does to a disk that could be written, under every cache mode, all that is not a write. */
  private static void useWithoutWriting(Path image, String option) {
    try (MountedImage mount = MountedImage.mount(image, "rw", option)) {
      for (String mode : WriteTrial.MODES) {
        Qcowfs.setCacheMode(mount.disk(), mode);
        try (DiskFile disk = DiskFile.open(mount.disk(), DiskFile.SYNC)) {
          assertThat(disk.read(0, 100_000)).hasSize(100_000);
          disk.fsync();
          disk.fdatasync();
        }
      }
    }
  }

  private static Map<Path, String> hashes(List<Path> files) {
    Map<Path, String> hashes = new TreeMap<>();
    files.forEach(file -> hashes.put(file, DiskBytes.sha256(file)));
    return hashes;
  }
}
