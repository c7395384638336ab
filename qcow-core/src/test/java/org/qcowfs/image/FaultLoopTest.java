package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.qcowfs.image.CrashVariant.Trait;
import org.qcowfs.testkit.crash.Schedule;
import org.qcowfs.testkit.storage.FaultPlan;
import org.qcowfs.testkit.storage.FaultPlan.Fault;

/**
 * Whichever operation of the host fails, and in whatever way: the guest is told, the image stays
 * whole, and the mount goes on or stops with a reason. {@code -Dqcowfs.crash.full=true} lets every
 * operation of every run fail; a failure prints the property that repeats its run alone.
 */
class FaultLoopTest {
  private static final boolean FULL = Boolean.getBoolean("qcowfs.crash.full");
  private static final long SEED = Long.getLong("qcowfs.crash.seed", 1);
  private static final String ONLY = System.getProperty("qcowfs.fault.only", "");

  /** How many operations fail, each in a run of its own, where not all of them do. */
  private static final int RUNS_EACH = Integer.getInteger("qcowfs.fault.runs", 3);

  private static final int MOST_COMPLAINTS = 10;

  /** The order of threads is not wholly in the hands of the seed, see {@link Schedule}. */
  private static final int REPETITIONS = 20;

  private static final CrashCounts COUNTS = new CrashCounts();
  private static final AtomicLong RUNS = new AtomicLong();
  private static final AtomicLong FAULTS = new AtomicLong();
  private static final AtomicLong OPERATIONS = new AtomicLong();

  @TempDir private Path directory;

  static Stream<CrashVariant> variants() {
    return Stream.concat(
        CrashSimulationTest.variants(),
        Stream.of(
            CrashVariant.of(12, 16, CacheMode.WRITEBACK, Trait.DATA_FILE_RAW, Trait.RESIZE),
            CrashVariant.of(12, 16, CacheMode.WRITETHROUGH, Trait.DATA_FILE, Trait.RESIZE),
            CrashVariant.of(9, 64, CacheMode.UNSAFE, Trait.SNAPSHOT, Trait.RESIZE)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("variants")
  void aFaultOfTheHostIsToldAndNeitherCorruptsNorLoses(CrashVariant variant) throws Exception {
    FaultRun.Start start = FaultRun.Start.fresh(variant, variant.create(directory));
    assertThat(new Loop(variant, start, "").complaints()).isEmpty();
  }

  /** Every operation of the mount that finds what a crash has left: repair, return of leaks. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("variants")
  void aFaultDuringARecoveryIsToldAndNeitherCorruptsNorLoses(CrashVariant variant)
      throws Exception {
    FaultRun.Start start = FaultRun.Start.crashed(variant, variant.create(directory), SEED);
    assertThat(new Loop(variant, start, " recovering").complaints()).isEmpty();
  }

  /** All faults of the runs that begin with one image. */
  private static final class Loop {
    private final CrashVariant variant;
    private final FaultRun.Start start;
    private final String phase;
    private final List<String> complaints = new ArrayList<>();

    Loop(CrashVariant variant, FaultRun.Start start, String phase) {
      this.variant = variant;
      this.start = start;
      this.phase = phase;
    }

    List<String> complaints() throws Exception {
      for (Fault fault : Fault.values()) {
        for (boolean forGood : new boolean[] {false, true}) {
          if (ONLY.isEmpty()) {
            loop(fault, forGood);
          } else {
            only(fault, forGood);
          }
        }
      }
      return complaints;
    }

    private void loop(Fault fault, boolean forGood) throws Exception {
      long last = lastToFail(fault);
      long step = FULL ? 1 : Math.max(1, last / RUNS_EACH);
      // Not the same operations in every variant.
      long n = FULL ? 1 : 1 + Math.floorMod(variant.toString().hashCode(), step);
      while (n <= last && complaints.size() < MOST_COMPLAINTS && run(fault, n, forGood)) {
        n += step;
      }
    }

    private void only(Fault fault, boolean forGood) throws Exception {
      String name = variant + phase + " n=";
      if (ONLY.startsWith(name) && ONLY.endsWith(" " + kind(fault, forGood))) {
        String n = ONLY.substring(name.length());
        for (int i = 0; i < REPETITIONS && complaints.isEmpty(); i++) {
          run(fault, Long.parseLong(n.substring(0, n.indexOf(' '))), forGood);
        }
      }
    }

    /** A run that meets a fault may have more operations than this one, which meets none. */
    private long lastToFail(Fault fault) throws Exception {
      FaultPlan plan = new FaultPlan(fault, Long.MAX_VALUE, false);
      FaultRun run = new FaultRun(variant, start, SEED, fault, plan, COUNTS);
      assertThat(run.complaints()).isEmpty();
      return start.crashed()
          ? run.operationsOfOpening()
          : FULL ? Long.MAX_VALUE : plan.operations();
    }

    /** Whether the run had an n-th operation. */
    private boolean run(Fault fault, long n, boolean forGood) throws Exception {
      FaultPlan plan = new FaultPlan(fault, n, forGood);
      List<String> found = new FaultRun(variant, start, SEED, fault, plan, COUNTS).complaints();
      RUNS.incrementAndGet();
      OPERATIONS.addAndGet(plan.operations());
      if (plan.isMet()) {
        FAULTS.incrementAndGet();
      }
      if (!found.isEmpty()) {
        complaints.add(
            "-Dqcowfs.crash.seed=%d -Dqcowfs.fault.only='%s%s n=%d %s'%n    %s"
                .formatted(
                    SEED, variant, phase, n, kind(fault, forGood), String.join("\n    ", found)));
      }
      return plan.isMet();
    }
  }

  private static String kind(Fault fault, boolean forGood) {
    return fault.name().toLowerCase(Locale.ROOT) + (forGood ? " for good" : " once");
  }

  @AfterAll
  static void tellWhatWasSeen() {
    System.out.printf(
        "Fault loop: %d runs, in %d of them a fault, %d operations that could fail, %d times"
            + " mounted again; seed %d%n",
        RUNS.get(), FAULTS.get(), OPERATIONS.get(), COUNTS.recoveries(), SEED);
  }
}
