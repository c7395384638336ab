package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.qcowfs.testkit.crash.HostFiles;
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
  private static final int RUNS_EACH = Integer.getInteger("qcowfs.fault.runs", 4);

  private static final int MOST_COMPLAINTS = 10;

  private static final CrashCounts COUNTS = new CrashCounts();
  private static final AtomicLong RUNS = new AtomicLong();
  private static final AtomicLong FAULTS = new AtomicLong();
  private static final AtomicLong OPERATIONS = new AtomicLong();

  @TempDir private Path directory;

  static Stream<CrashVariant> variants() {
    return CrashSimulationTest.variants();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("variants")
  void aFaultOfTheHostIsToldAndNeitherCorruptsNorLoses(CrashVariant variant) throws Exception {
    HostFiles before = variant.create(directory);
    List<String> complaints = new ArrayList<>();
    for (Fault fault : Fault.values()) {
      for (boolean forGood : new boolean[] {false, true}) {
        loop(variant, before, fault, forGood, complaints);
      }
    }
    assertThat(complaints).isEmpty();
  }

  private static void loop(
      CrashVariant variant, HostFiles before, Fault fault, boolean forGood, List<String> complaints)
      throws Exception {
    if (!ONLY.isEmpty()) {
      only(variant, before, fault, forGood, complaints);
      return;
    }
    long last = FULL ? Long.MAX_VALUE : operations(variant, before, fault);
    long step = FULL ? 1 : Math.max(1, last / RUNS_EACH);
    // Not the same operations in every variant.
    long first = FULL ? 1 : 1 + Math.floorMod(variant.toString().hashCode(), step);
    for (long n = first; n <= last && complaints.size() < MOST_COMPLAINTS; n += step) {
      if (!run(variant, before, fault, n, forGood, complaints)) {
        return;
      }
    }
  }

  private static void only(
      CrashVariant variant, HostFiles before, Fault fault, boolean forGood, List<String> complaints)
      throws Exception {
    if (ONLY.startsWith(variant + " ") && ONLY.endsWith(" " + kind(fault, forGood))) {
      List<String> parts = List.of(ONLY.split("[ =]"));
      long n = Long.parseLong(parts.get(parts.indexOf("n") + 1));
      run(variant, before, fault, n, forGood, complaints);
    }
  }

  private static long operations(CrashVariant variant, HostFiles before, Fault fault)
      throws Exception {
    FaultPlan plan = new FaultPlan(fault, Long.MAX_VALUE, false);
    assertThat(new FaultRun(variant, before, SEED, fault, plan, COUNTS).complaints()).isEmpty();
    return plan.operations();
  }

  /** Whether the run had an n-th operation. */
  private static boolean run(
      CrashVariant variant,
      HostFiles before,
      Fault fault,
      long n,
      boolean forGood,
      List<String> complaints)
      throws Exception {
    FaultPlan plan = new FaultPlan(fault, n, forGood);
    List<String> found = new FaultRun(variant, before, SEED, fault, plan, COUNTS).complaints();
    RUNS.incrementAndGet();
    OPERATIONS.addAndGet(plan.operations());
    if (plan.isMet()) {
      FAULTS.incrementAndGet();
    }
    if (!found.isEmpty()) {
      complaints.add(
          "-Dqcowfs.crash.seed=%d -Dqcowfs.fault.only='%s n=%d %s'\n    %s"
              .formatted(SEED, variant, n, kind(fault, forGood), String.join("\n    ", found)));
    }
    return plan.isMet();
  }

  private static String kind(Fault fault, boolean forGood) {
    return FaultRun.name(fault) + (forGood ? " for good" : " once");
  }

  @AfterAll
  static void tellWhatWasSeen() {
    System.out.printf(
        "Fault loop: %d runs, in %d of them a fault, %d operations that could fail, %d times"
            + " mounted again; seed %d%n",
        RUNS.get(), FAULTS.get(), OPERATIONS.get(), COUNTS.recoveries(), SEED);
  }
}
