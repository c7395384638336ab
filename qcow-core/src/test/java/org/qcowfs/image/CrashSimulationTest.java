package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.qcowfs.image.CrashVariant.Trait;
import org.qcowfs.testkit.crash.CrashStates;
import org.qcowfs.testkit.crash.HostFiles;
import org.qcowfs.testkit.crash.Schedule;

/**
 * No crash corrupts an image, loses what a flush has covered, or shows a guest what it never wrote
 * there. {@code -Dqcowfs.crash.full=true} makes it a million states; {@code -Dqcowfs.crash.seed}
 * begins elsewhere; a failure prints the property that repeats its state alone.
 */
class CrashSimulationTest {
  private static final boolean FULL = Boolean.getBoolean("qcowfs.crash.full");
  private static final long FIRST_SEED = Long.getLong("qcowfs.crash.seed", 1);
  private static final String ONLY = System.getProperty("qcowfs.crash.only", "");
  private static final long STATES_EACH = FULL ? 30_000 : 1_500;
  private static final int QEMU_CHECKS_EVERY_NTH = FULL ? 500 : 200;
  private static final int QEMU_CONVERTS_EVERY_NTH = FULL ? 500 : 1_000;
  private static final CrashStates.Budget BUDGET =
      FULL ? new CrashStates.Budget(12, 64, 1) : new CrashStates.Budget(4, 12, 2);

  /** The order of threads is not wholly in the hands of the seed, see {@link Schedule}. */
  private static final int REPETITIONS = 20;

  private static final CrashCounts COUNTS = new CrashCounts();

  @TempDir private Path directory;

  static Stream<CrashVariant> variants() {
    return Stream.of(
        CrashVariant.of(9, 16, CacheMode.WRITEBACK),
        CrashVariant.of(9, 64, CacheMode.WRITEBACK, Trait.RESIZE),
        CrashVariant.of(9, 64, CacheMode.NONE, Trait.BACKING, Trait.PRESSURE),
        CrashVariant.of(9, 8, CacheMode.WRITEBACK, Trait.SNAPSHOT, Trait.PRESSURE),
        CrashVariant.of(9, 16, CacheMode.WRITEBACK, Trait.LAZY, Trait.PRESSURE),
        CrashVariant.of(9, 32, CacheMode.UNSAFE, Trait.BACKING),
        CrashVariant.of(9, 16, CacheMode.VOLATILE, Trait.PRESSURE),
        CrashVariant.of(12, 16, CacheMode.WRITEBACK),
        CrashVariant.of(12, 1, CacheMode.WRITEBACK, Trait.BACKING),
        CrashVariant.of(12, 16, CacheMode.WRITEBACK, Trait.RESIZE),
        CrashVariant.of(12, 16, CacheMode.WRITEBACK, Trait.BACKING, Trait.RESIZE),
        CrashVariant.of(12, 16, CacheMode.NONE, Trait.SNAPSHOT),
        CrashVariant.of(12, 4, CacheMode.WRITEBACK, Trait.COMPRESSED),
        CrashVariant.of(12, 16, CacheMode.WRITEBACK, Trait.COMPRESSED, Trait.SNAPSHOT),
        CrashVariant.of(12, 16, CacheMode.WRITEBACK, Trait.V2),
        CrashVariant.of(12, 16, CacheMode.WRITEBACK, Trait.V2, Trait.BACKING),
        CrashVariant.of(12, 16, CacheMode.WRITEBACK, Trait.DATA_FILE),
        CrashVariant.of(12, 16, CacheMode.WRITEBACK, Trait.DATA_FILE_RAW),
        CrashVariant.of(12, 2, CacheMode.WRITEBACK, Trait.LAZY),
        CrashVariant.of(12, 16, CacheMode.WRITEBACK, Trait.LAZY, Trait.BACKING, Trait.RESIZE),
        CrashVariant.of(12, 16, CacheMode.WRITETHROUGH),
        CrashVariant.of(12, 16, CacheMode.DIRECTSYNC, Trait.BACKING),
        CrashVariant.of(12, 16, CacheMode.WRITETHROUGH, Trait.SNAPSHOT),
        CrashVariant.of(12, 16, CacheMode.UNSAFE),
        CrashVariant.of(12, 16, CacheMode.UNSAFE, Trait.SNAPSHOT),
        CrashVariant.of(12, 16, CacheMode.UNSAFE, Trait.LAZY),
        CrashVariant.of(12, 16, CacheMode.VOLATILE),
        CrashVariant.of(12, 16, CacheMode.VOLATILE, Trait.BACKING),
        CrashVariant.of(14, 16, CacheMode.WRITEBACK, Trait.EXTENDED_L2),
        CrashVariant.of(14, 16, CacheMode.WRITEBACK, Trait.EXTENDED_L2, Trait.BACKING),
        CrashVariant.of(14, 16, CacheMode.WRITEBACK, Trait.EXTENDED_L2, Trait.SNAPSHOT),
        CrashVariant.of(14, 16, CacheMode.NONE, Trait.EXTENDED_L2, Trait.DATA_FILE),
        CrashVariant.of(16, 16, CacheMode.WRITEBACK),
        CrashVariant.of(16, 16, CacheMode.WRITEBACK, Trait.BACKING),
        CrashVariant.of(16, 64, CacheMode.WRITEBACK, Trait.SNAPSHOT));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("variants")
  void aCrashNeverCorruptsNorLosesNorShowsForeignData(CrashVariant variant) throws Exception {
    HostFiles before = variant.create(directory);
    QemuJudge qemu =
        new QemuJudge(directory, QEMU_CHECKS_EVERY_NTH, QEMU_CONVERTS_EVERY_NTH, variant, COUNTS);
    CrashSimulation simulation = new CrashSimulation(variant, before, BUDGET, COUNTS, qemu);
    if (ONLY.isEmpty()) {
      long end = COUNTS.states() + STATES_EACH;
      for (long seed = FIRST_SEED; COUNTS.states() < end; seed++) {
        assertThat(simulation.firstComplaint(seed)).isEmpty();
      }
    } else if (ONLY.startsWith(variant + " ")) {
      List<String> parts = List.of(ONLY.split("[ =]"));
      simulation.setOnlyState(parts.get(parts.indexOf("state") + 1));
      long seed = Long.parseLong(parts.get(parts.indexOf("seed") + 1));
      for (int i = 0; i < REPETITIONS; i++) {
        assertThat(simulation.firstComplaint(seed)).isEmpty();
      }
    }
  }

  @AfterAll
  static void tellWhatWasSeen() {
    System.out.printf("Crash simulation: %s; seeds from %d%n", COUNTS, FIRST_SEED);
  }
}
