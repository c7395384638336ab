package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.LongStream;
import org.qcowfs.error.HostIoException;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.crash.Complaint;
import org.qcowfs.testkit.crash.Crash;
import org.qcowfs.testkit.crash.Event;
import org.qcowfs.testkit.crash.GuestHistory;
import org.qcowfs.testkit.crash.HostFiles;
import org.qcowfs.testkit.crash.ImageOracle;
import org.qcowfs.testkit.crash.Promise;
import org.qcowfs.testkit.crash.RunRecord;
import org.qcowfs.testkit.crash.Schedule;
import org.qcowfs.testkit.crash.Workload;
import org.qcowfs.testkit.storage.FaultPlan;
import org.qcowfs.testkit.storage.FaultyStorage;
import org.qcowfs.testkit.storage.FlushPause;
import org.qcowfs.testkit.storage.MemoryStorage;
import org.qcowfs.testkit.storage.ScheduledStorage;

/**
 * One run of a guest that goes on whatever fails, on host files that fail as planned; and all that
 * must hold then: what the guest is told, what it reads, what it can do once the fault has gone,
 * and what the image is worth if the process dies before or after its end.
 */
final class FaultRun {
  /**
   * Where a run begins.
   *
   * @param initial the stamps of the disk's sectors
   * @param crashed whether the image was left behind by a process that died
   */
  record Start(HostFiles files, List<Long> initial, boolean crashed) {
    /** An image as it was made. */
    static Start fresh(CrashVariant variant, HostFiles files) {
      return new Start(files, LongStream.of(variant.initial()).boxed().toList(), false);
    }

    /** An image that a mount was writing to when it died. */
    static Start crashed(CrashVariant variant, HostFiles before, long seed) throws Exception {
      HostFiles files = before.copy();
      SimulatedDisk disk = SimulatedDisk.open(files.image(), files.guestData(), variant);
      new Workload(variant.size(), seed, disk, new RunRecord()).runRounds();
      List<Long> stamps = new ArrayList<>();
      new ImageOracle(files, variant.backing()).visitDisk((sector, stamp) -> stamps.add(stamp));
      return new Start(files, stamps, true);
    }
  }

  private static final int SECTOR_BYTES = 512;
  private static final int FLUSH_FAILED = 5;

  private final CrashVariant variant;
  private final long seed;
  private final FaultPlan.Fault fault;
  private final FaultPlan plan;
  private final Start start;
  private final HostFiles files;
  private final RunRecord record = new RunRecord();
  private final List<String> complaints = Collections.synchronizedList(new ArrayList<>());
  private final CrashCounts counts;
  private long operationsOfOpening;

  FaultRun(
      CrashVariant variant,
      Start start,
      long seed,
      FaultPlan.Fault fault,
      FaultPlan plan,
      CrashCounts counts) {
    this.variant = variant;
    this.start = start;
    this.files = start.files().copy();
    this.seed = seed;
    this.fault = fault;
    this.plan = plan;
    this.counts = counts;
  }

  /** Everything that is wrong with the run; empty where nothing is. */
  List<String> complaints() throws Exception {
    List<BlockStorage> storages = files.files().stream().map(this::faulty).toList();
    SimulatedDisk disk;
    try {
      disk = SimulatedDisk.open(storages.get(0), storages.get(storages.size() - 1), variant);
    } catch (IOException | OutOfMemoryError e) {
      judgeFailure(e);
      judgeDeath("after a mount that was refused");
      return complaints;
    }
    operationsOfOpening = plan.operations();
    Workload guest = new Workload(variant.size(), seed, disk, record, this::judgeFailure);
    guest.runRounds();
    judgeDeath("before the end");
    alone(guest::finish);
    judgeDeath("after the end");
    plan.heal();
    alone(() -> judgeAfterwards(guest, disk));
    return complaints;
  }

  /** How many operations could have met the fault before the disk was open. */
  long operationsOfOpening() {
    return operationsOfOpening;
  }

  private BlockStorage faulty(MemoryStorage file) {
    return new ScheduledStorage(
        new FaultyStorage(new FlushPause(file, Schedule::pause), plan), Schedule::pause);
  }

  /** In a thread of its own, so that a lock that nobody will release is found out. */
  private static void alone(Schedule.Task task) throws Exception {
    new Schedule(new java.util.SplittableRandom(0)).run(List.of(task));
  }

  private void judgeFailure(Throwable failure) {
    boolean right =
        fault == FaultPlan.Fault.OUT_OF_MEMORY
            ? failure instanceof OutOfMemoryError
            : failure instanceof HostIoException host && host.errno() == fault.errno();
    if (!right || !plan.isMet()) {
      complaints.add("the guest is told " + describe(failure));
    }
  }

  private static String describe(Throwable failure) {
    StringBuilder text = new StringBuilder(failure.toString());
    for (StackTraceElement frame : failure.getStackTrace()) {
      if (frame.getClassName().startsWith("org.qcowfs")) {
        text.append("\n      at ").append(frame);
      }
    }
    return text.toString();
  }

  private GuestHistory history(boolean asTheGuestSees) {
    GuestHistory history =
        new GuestHistory(
            Crash.DEATH, start.initial().stream().mapToLong(Long::longValue).toArray());
    for (Event event : record.events()) {
      history.add(
          asTheGuestSees && event instanceof Event.ChangeEnds end
              ? new Event.ChangeEnds(end.request(), Promise.SURVIVES_POWER_LOSS)
              : event);
    }
    return history;
  }

  /** What the process leaves behind must be whole, and the next mount must put all of it right. */
  private void judgeDeath(String when) throws IOException {
    GuestHistory history = history(false);
    HostFiles state = files.copy();
    ImageOracle oracle = new ImageOracle(state, variant.backing());
    List<Complaint> found = StateOracle.complaints(oracle, history, variant);
    if (found.isEmpty()) {
      found = new Recovery(variant, counts).complaints(state, history, 1);
    }
    complain(when, found);
  }

  private void complain(String when, List<Complaint> found) {
    found.stream().limit(3).forEach(complaint -> complaints.add(when + ": " + complaint));
  }

  private void judgeAfterwards(Workload guest, SimulatedDisk disk) throws Exception {
    judgeReads(disk);
    int before = complaints.size();
    if (plan.hasFlushFailed()) {
      judgeFailStop(disk);
      judgeDeath("after a flush that failed");
      return;
    }
    guest.write(0, 1);
    guest.write(variant.size().clusterSectors() * 3, variant.size().clusterSectors() + 1);
    guest.flush();
    guest.finish();
    if (complaints.size() > before) {
      complaints.set(before, "once the fault has gone, " + complaints.get(before));
      return;
    }
    judgeReads(disk);
    ImageOracle oracle = new ImageOracle(files, variant.backing());
    complain("once all is done", StateOracle.complaints(oracle, history(false), variant));
    boolean leaksMayStay = start.crashed() && !variant.givesLeaksBack();
    if ((oracle.leaks() > 0 && !leaksMayStay) || oracle.isDirty()) {
      complaints.add(
          "once all is done: %d leaks, dirty: %b".formatted(oracle.leaks(), oracle.isDirty()));
    }
    if (oracle.sectorCount() * SECTOR_BYTES != disk.size()) {
      complaints.add("the disk had %d bytes, now it has others".formatted(disk.size()));
    }
  }

  private void judgeReads(SimulatedDisk disk) throws IOException {
    GuestHistory history = history(true);
    List<Complaint> found = new ArrayList<>();
    ByteBuffer all = ByteBuffer.allocate((int) disk.size());
    disk.read(all, 0);
    for (int sector = 0; sector < disk.size() / SECTOR_BYTES; sector++) {
      long stamp = all.getLong(sector * SECTOR_BYTES);
      if (!history.allows(sector, stamp)) {
        found.add(history.complaint(sector, stamp));
      }
    }
    complain("read by the guest", found);
  }

  private void judgeFailStop(SimulatedDisk disk) {
    mustFail("a write", () -> disk.write(ByteBuffer.allocate(SECTOR_BYTES), 0));
    mustFail("zeroing", () -> disk.zero(0, SECTOR_BYTES, false));
    mustFail("a discard", () -> disk.zero(0, disk.size(), true));
    mustFail("an allocation", () -> disk.allocate(0, disk.size()));
    mustFail("a flush", disk::flush);
    mustFail("the end", disk::finish);
  }

  private void mustFail(String what, Schedule.Task task) {
    try {
      task.run();
      complaints.add(what + " succeeds after a flush that failed");
    } catch (HostIoException e) {
      if (e.errno() != FLUSH_FAILED) {
        complaints.add("after a flush that failed, %s fails with %s".formatted(what, e));
      }
    } catch (Exception e) {
      complaints.add("after a flush that failed, %s fails with %s".formatted(what, describe(e)));
    }
  }
}
