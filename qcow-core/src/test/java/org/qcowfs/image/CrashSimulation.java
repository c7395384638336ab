package org.qcowfs.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.crash.Complaint;
import org.qcowfs.testkit.crash.Crash;
import org.qcowfs.testkit.crash.CrashState;
import org.qcowfs.testkit.crash.CrashStates;
import org.qcowfs.testkit.crash.Event;
import org.qcowfs.testkit.crash.GuestHistory;
import org.qcowfs.testkit.crash.HostFiles;
import org.qcowfs.testkit.crash.ImageOracle;
import org.qcowfs.testkit.crash.RunRecord;
import org.qcowfs.testkit.crash.Workload;

/**
 * Runs a workload on a variant, and judges every state in which a crash may leave it: by the
 * oracle, by the guest's history, by opening it again and going on, and now and then by QEMU.
 */
final class CrashSimulation {
  /** Changes a record into that of an engine which breaks a rule. */
  @FunctionalInterface
  interface Canary {
    List<Event> breakRule(HostFiles before, List<Event> events);
  }

  private static final Path FAILURES = Path.of("target", "crash");

  private final CrashVariant variant;
  private final HostFiles before;
  private final CrashStates.Budget budget;
  private final CrashCounts counts;
  private final @Nullable QemuJudge qemu;
  private @Nullable String onlyState;
  private Canary canary = (files, events) -> events;

  /**
   * @param qemu asked about some of the states; null: never
   */
  CrashSimulation(
      CrashVariant variant,
      HostFiles before,
      CrashStates.Budget budget,
      CrashCounts counts,
      @Nullable QemuJudge qemu) {
    this.variant = variant;
    this.before = before;
    this.budget = budget;
    this.counts = counts;
    this.qemu = qemu;
  }

  /** Judges one state alone, by its name. */
  void setOnlyState(String name) {
    onlyState = name;
  }

  void setCanary(Canary value) {
    canary = value;
  }

  /** The first state of which there is a complaint, with everything that is wrong with it. */
  List<String> firstComplaint(long seed) throws Exception {
    RunRecord record = record(seed);
    counts.run(record.hostOperations());
    List<Event> events = canary.breakRule(before, record.events());
    SplittableRandom random = new SplittableRandom(seed);
    Judge judge = new Judge(seed);
    try {
      new CrashStates(before, events, budget, variant.promisesPowerLoss(), random).visit(judge);
    } catch (Found found) {
      return found.complaints;
    }
    return List.of();
  }

  /** What a run of the workload does to guest and host files. */
  RunRecord record(long seed) throws Exception {
    HostFiles files = before.copy();
    RunRecord record = new RunRecord();
    List<BlockStorage> storages = new ArrayList<>();
    for (int file = 0; file < files.files().size(); file++) {
      storages.add(record.file(file, files.files().get(file)));
    }
    SimulatedDisk disk =
        SimulatedDisk.open(storages.get(0), storages.get(storages.size() - 1), variant);
    new Workload(variant.size(), seed, disk, record).run();
    return record;
  }

  /** Ends the visit at the first state that is wrong. */
  private static final class Found extends IOException {
    private static final long serialVersionUID = 1;
    private final transient List<String> complaints;

    Found(List<String> complaints) {
      super(complaints.toString());
      this.complaints = complaints;
    }
  }

  private final class Judge implements CrashStates.Visitor {
    private final long seed;
    private final GuestHistory afterDeath = new GuestHistory(Crash.DEATH, variant.initial());
    private final GuestHistory afterPowerLoss =
        new GuestHistory(Crash.POWER_LOSS, variant.initial());

    Judge(long seed) {
      this.seed = seed;
    }

    @Override
    public void event(Event event) {
      afterDeath.add(event);
      afterPowerLoss.add(event);
    }

    @Override
    public void state(CrashState state) throws IOException {
      if (onlyState != null && !onlyState.equals(state.name())) {
        return;
      }
      GuestHistory history = state.crash() == Crash.DEATH ? afterDeath : afterPowerLoss;
      long number = counts.state(state.crash());
      List<Complaint> complaints = complaints(state.files(), history);
      if (complaints.isEmpty()) {
        complaints = new Recovery(variant, counts).complaints(state.files(), history, number);
      }
      if (complaints.isEmpty() && qemu != null) {
        complaints = qemu.complaints(state.files(), history, number);
      }
      if (!complaints.isEmpty()) {
        List<String> lines = new ArrayList<>();
        lines.add(
            "-Dqcowfs.crash.only='%s seed=%d state=%s'; its files are in %s"
                .formatted(variant, seed, state.name(), save(state.files())));
        complaints.stream().limit(10).map(Complaint::toString).forEach(lines::add);
        throw new Found(lines);
      }
    }

    private static Path save(HostFiles files) throws IOException {
      Path directory = Files.createTempDirectory(Files.createDirectories(FAILURES), "state-");
      Files.write(directory.resolve("image.qcow2"), files.image().bytes());
      if (files.files().size() > 1) {
        Files.write(directory.resolve("data.raw"), files.guestData().bytes());
      }
      return directory;
    }

    private List<Complaint> complaints(HostFiles files, GuestHistory history) {
      ImageOracle oracle = new ImageOracle(files, variant.backing());
      List<Complaint> complaints = StateOracle.complaints(oracle, history, variant);
      counts.leaks(oracle.leaks());
      return complaints;
    }
  }
}
