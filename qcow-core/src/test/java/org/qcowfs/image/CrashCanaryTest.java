package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.image.CrashVariant.Trait;
import org.qcowfs.testkit.crash.Complaint;
import org.qcowfs.testkit.crash.CrashStates;

/** The simulation of crashes finds an engine that breaks a rule: it is not blind. */
class CrashCanaryTest {
  private static final CrashStates.Budget BUDGET = new CrashStates.Budget(4, 12, 1);
  private static final int SEEDS = 40;
  private static final CrashVariant PLAIN = CrashVariant.of(12, 16, CacheMode.WRITEBACK);

  @TempDir private Path directory;

  @Test
  void aMissingBarrierIsFound() throws Exception {
    CrashVariant broken = CrashVariant.of(12, 16, CacheMode.WRITEBACK, Trait.WITHOUT_BARRIERS);

    assertThat(firstComplaint(broken, (before, events) -> events))
        .anyMatch(isOf(Complaint.Kind.CORRUPT));
  }

  @Test
  void refcountsWrittenAfterThePointersAreFound() throws Exception {
    assertThat(firstComplaint(PLAIN, BrokenOrder::refcountsAfterPointers))
        .anyMatch(isOf(Complaint.Kind.CORRUPT));
  }

  @Test
  void aFreedClusterThatIsReusedEarlyIsFound() throws Exception {
    assertThat(firstComplaint(PLAIN, BrokenOrder::freedClustersReusedEarly))
        .anyMatch(isOf(Complaint.Kind.FOREIGN));
  }

  @Test
  void anAcknowledgementBeforeTheFlushIsFound() throws Exception {
    assertThat(firstComplaint(PLAIN, BrokenOrder::acknowledgedBeforeFlush))
        .anyMatch(isOf(Complaint.Kind.LOST));
  }

  private static Predicate<String> isOf(Complaint.Kind kind) {
    return line -> line.startsWith(kind.name());
  }

  private List<String> firstComplaint(CrashVariant variant, CrashSimulation.Canary canary)
      throws Exception {
    CrashSimulation simulation =
        new CrashSimulation(variant, variant.create(directory), BUDGET, new CrashCounts(), null);
    simulation.setCanary(canary);
    for (long seed = 1; seed <= SEEDS; seed++) {
      List<String> complaint = simulation.firstComplaint(seed);
      if (!complaint.isEmpty()) {
        return complaint;
      }
    }
    return List.of();
  }
}
