package org.qcowfs.it.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.Seed;

/**
 * Random writes, holes, zeroes and flushes through a real mount, in each shape of image, leave what
 * a plain file has after the same: and an image that QEMU finds nothing wrong with.
 */
@NeedsMounts
@Execution(ExecutionMode.CONCURRENT)
final class WriteMatrixTest {
  private static final List<String> MODES =
      List.of("writeback", "none", "writethrough", "directsync", "unsafe", "volatile");

  private static final int ROUNDS = 2;
  private static final int OPERATIONS = 30;

  /** Each pair of property values once, and the cache modes in turn. */
  static Stream<Arguments> variants() {
    List<ImageVariant> chosen = PairCover.choose(writable(), 1, Seed.random("variants to write"));
    return IntStream.range(0, chosen.size())
        .mapToObj(i -> Arguments.of(chosen.get(i), MODES.get(i % MODES.size())));
  }

  /** Bitmaps are not given up in an image with snapshots. */
  private static List<ImageVariant> writable() {
    return ImageVariant.allLegal().stream()
        .filter(variant -> !(variant.bitmap() && variant.history()))
        .toList();
  }

  @ParameterizedTest(name = "{0} cache={1}")
  @MethodSource("variants")
  void writesThroughTheMountLeaveWhatAPlainFileHas(ImageVariant variant, String mode) {
    SplittableRandom random = Seed.random(variant + mode);
    try (VariantImage made = VariantImage.create(variant, random)) {
      Path model = QemuImg.toRaw(made.image());
      Map<Path, String> others = hashes(otherFiles(made));
      Map<String, Path> snapshots = snapshotBytes(made);

      for (int round = 0; round < ROUNDS; round++) {
        String[] options =
            variant.bitmap() && round == 0
                ? new String[] {"rw", "cache=" + mode, "drop_bitmaps"}
                : new String[] {"rw", "cache=" + mode};
        try (MountedImage mount = MountedImage.mount(made.image(), options)) {
          new DiskWriter(mount.disk(), model, random).write(OPERATIONS);
          DiskBytes.assertSame(mount.disk(), model);
        }
        if (variant.bitmap()) {
          // Bitmaps that were given up are leaked clusters, until a check of QEMU's frees them.
          QemuImg.on(made.image(), "check", "-q", "-r", "leaks", "-f", "qcow2", made.image());
        }
        QemuImg.on(made.image(), "check", "-q", "-f", "qcow2", made.image());
        QemuImg.assertIdentical(model, made.image());
      }

      assertThat(hashes(otherFiles(made))).isEqualTo(others);
      snapshots.forEach(
          (name, before) ->
              DiskBytes.assertSame(QemuImg.snapshotToRaw(made.image(), name), before));
    }
  }

  /** The files of the chain below the image; its data file is its own. */
  private static List<Path> otherFiles(VariantImage made) {
    List<Path> others = new ArrayList<>(made.files());
    others.removeIf(
        file -> {
          String name = String.valueOf(file.getFileName());
          return !name.startsWith("base.")
              && !name.startsWith("bottom.")
              && !name.startsWith("middle.");
        });
    return others;
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
