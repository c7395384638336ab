package org.qcowfs.it.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.qcowfs.it.kit.Accelerator;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.Seed;
import org.qcowfs.it.kit.TestDirectory;

/**
 * Random operations through a real mount, in each shape of image and under each cache mode, leave
 * what a plain file has after the same, and an image that QEMU finds nothing wrong with.
 *
 * <p>{@code -Dqcowfs.it.full=true} tries each shape with each mode, and for longer.
 */
@NeedsMounts
@Accelerator.BothWays
@Execution(ExecutionMode.CONCURRENT)
final class WriteMatrixTest {
  private static final boolean FULL = Boolean.getBoolean("qcowfs.it.full");
  private static final int ROUNDS = 2;
  private static final int OPERATIONS = FULL ? 150 : 60;
  private static final long RAW_BYTES = (9 << 20) + 0x1600;

  private static final List<String> MODES = WriteTrial.MODES;
  private static final AtomicLong TRIALS = new AtomicLong();
  private static final AtomicLong DONE = new AtomicLong();

  static List<WriteTrial> trials() {
    return FULL ? WriteTrial.full() : Accelerator.choose(WriteTrial.pairCover());
  }

  @AfterAll
  static void report() {
    System.out.printf("%d disks, %d operations on them%n", TRIALS.get(), DONE.get());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("trials")
  void whatIsWrittenThroughTheMountIsWhatAPlainFileHas(WriteTrial trial) {
    ImageVariant variant = trial.variant();
    SplittableRandom random = Seed.random(trial.toString());
    try (VariantImage made = VariantImage.create(variant, random)) {
      Path image = made.image();
      Map<Path, String> others = hashes(made.backingFiles());
      Map<String, Path> snapshots = snapshotBytes(made);
      boolean resizable = variant.version() > 2 || !variant.history();
      DiskModel model =
          new DiskModel(
              trial.toString(), QemuImg.toRaw(image), variant.virtualBytes(), resizable, random);

      for (int round = 0; round < ROUNDS; round++) {
        String bitmaps = variant.bitmap() && round == 0 ? "drop_bitmaps" : "rw";
        operate(model, image, trial.mode(), round, bitmaps);
        if (variant.bitmap()) {
          // Bitmaps that were given up are leaked clusters, until a check of QEMU's frees them.
          QemuImg.on(image, "check", "-q", "-r", "leaks", "-f", "qcow2", image);
        }
        QemuImg.on(image, "check", "-q", "-f", "qcow2", image);
        QemuImg.assertIdentical(model.file(), image);
      }

      assertThat(hashes(made.backingFiles())).isEqualTo(others);
      assertSnapshotsUnchanged(image, snapshots);
    }
  }

  @ParameterizedTest
  @FieldSource("MODES")
  void whatIsWrittenToARawImageIsWhatAPlainFileHas(String mode) {
    SplittableRandom random = Seed.random("raw " + mode);
    Path directory = TestDirectory.create("raw");
    Path image = QemuImg.createRaw(directory.resolve("image.raw"), RAW_BYTES);
    Path plain = QemuImg.createRaw(directory.resolve("image.expected"), RAW_BYTES);
    DiskModel model = new DiskModel("raw cache=" + mode, plain, RAW_BYTES, true, random);
    for (int round = 0; round < ROUNDS; round++) {
      operate(model, image, mode, round, "rw");
      DiskBytes.assertSame(image, plain);
    }
    TestDirectory.delete(directory);
  }

  /** One mount: the first in one mode throughout, the others with switches. */
  private static void operate(
      DiskModel model, Path image, String mode, int round, String moreOptions) {
    List<String> switches = round == 0 ? List.of() : MODES;
    try (MountedImage mount =
        MountedImage.mount(image, "rw", "allow_shrink", "cache=" + mode, moreOptions)) {
      model.run(mount, OPERATIONS, switches);
    }
    TRIALS.addAndGet(round == 0 ? 1 : 0);
    DONE.addAndGet(OPERATIONS);
  }

  /** Of a snapshot, QEMU's tools show no more than the size that the disk has now. */
  private static void assertSnapshotsUnchanged(Path image, Map<String, Path> snapshots) {
    for (var snapshot : snapshots.entrySet()) {
      Path now = QemuImg.snapshotToRaw(image, snapshot.getKey());
      Path before = snapshot.getValue();
      DiskBytes.assertSameUpTo(now, before, Math.min(size(now), size(before)));
    }
    if (!snapshots.isEmpty()) {
      try (MountedImage mount = MountedImage.mount(image, "ro")) {
        snapshots.forEach((name, before) -> DiskBytes.assertSame(mount.snapshotDisk(name), before));
      }
    }
  }

  private static long size(Path file) {
    return file.toFile().length();
  }

  private static Map<String, Path> snapshotBytes(VariantImage made) {
    Map<String, Path> bytes = new LinkedHashMap<>();
    for (String name : made.snapshots()) {
      Path now = QemuImg.snapshotToRaw(made.image(), name);
      Path kept = now.resolveSibling(now.getFileName() + ".before.expected");
      assertThat(now.toFile().renameTo(kept.toFile())).isTrue();
      bytes.put(name, kept);
    }
    return bytes;
  }

  private static Map<Path, String> hashes(List<Path> files) {
    Map<Path, String> hashes = new TreeMap<>();
    files.forEach(file -> hashes.put(file, DiskBytes.sha256(file)));
    return hashes;
  }
}
