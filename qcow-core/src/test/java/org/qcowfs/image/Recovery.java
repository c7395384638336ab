package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.crash.Complaint;
import org.qcowfs.testkit.crash.CrashState;
import org.qcowfs.testkit.crash.CrashStates;
import org.qcowfs.testkit.crash.Event;
import org.qcowfs.testkit.crash.GuestHistory;
import org.qcowfs.testkit.crash.HostFiles;
import org.qcowfs.testkit.crash.ImageOracle;
import org.qcowfs.testkit.crash.RunRecord;

/**
 * Opens the image of a crash for writing, as the next mount does, writes to it, and ends cleanly;
 * and lets that crash in turn.
 */
final class Recovery {
  private static final int SECTOR_BYTES = 512;
  private static final int EVERY_NTH_CRASHES = 50;
  private static final CrashStates.Budget CRASHES = new CrashStates.Budget(3, 3, 2);

  private final CrashVariant variant;
  private final CrashCounts counts;

  Recovery(CrashVariant variant, CrashCounts counts) {
    this.variant = variant;
    this.counts = counts;
  }

  /**
   * @param number of the state
   */
  List<Complaint> complaints(HostFiles state, GuestHistory history, long number)
      throws IOException {
    boolean dirty = new ImageOracle(state, variant.backing()).isDirty();
    HostFiles files = state.copy();
    RunRecord record = new RunRecord();
    List<Complaint> complaints = new ArrayList<>();
    try {
      recover(files, record, history, complaints);
    } catch (IOException e) {
      complaints.add(notRecovered("it cannot be opened again: " + e));
    }
    counts.recovery(dirty);
    if (complaints.isEmpty()) {
      complaints.addAll(afterwards(files, history));
    }
    if (complaints.isEmpty() && (number % EVERY_NTH_CRASHES == 0)) {
      complaints.addAll(afterCrashes(state, record.events(), history, number));
    }
    return complaints;
  }

  private void recover(
      HostFiles files, RunRecord record, GuestHistory history, List<Complaint> complaints)
      throws IOException {
    BlockStorage image = record.file(0, files.image());
    BlockStorage data = files.files().size() > 1 ? record.file(1, files.guestData()) : image;
    SimulatedDisk disk = SimulatedDisk.open(image, data, variant);
    ByteBuffer sector = ByteBuffer.allocate(SECTOR_BYTES);
    for (int i = 0; i < disk.size() / SECTOR_BYTES; i++) {
      disk.read(sector.clear(), (long) i * SECTOR_BYTES);
      long stamp = sector.getLong(0);
      if (!history.allows(i, stamp)) {
        complaints.add(history.complaint(i, stamp));
      }
    }
    // Writes what is there already, so that the history still holds; it allocates all the same.
    disk.read(sector.clear(), 0);
    disk.write(sector.flip(), 0);
    disk.flush();
    disk.zero(0, 0, true);
    disk.finish();
  }

  private List<Complaint> afterwards(HostFiles files, GuestHistory history) {
    ImageOracle oracle = new ImageOracle(files, variant.backing());
    List<Complaint> complaints = StateOracle.complaints(oracle, history, variant);
    if (oracle.leaks() > 0 && variant.givesLeaksBack()) {
      complaints.add(notRecovered("%d clusters are still leaked".formatted(oracle.leaks())));
    }
    if (oracle.isDirty()) {
      complaints.add(notRecovered("it is still dirty"));
    }
    return complaints;
  }

  private List<Complaint> afterCrashes(
      HostFiles state, List<Event> events, GuestHistory history, long seed) throws IOException {
    List<Complaint> complaints = new ArrayList<>();
    CrashStates.Visitor visitor =
        new CrashStates.Visitor() {
          @Override
          public void event(Event event) {
            // the guest does nothing new
          }

          @Override
          public void state(CrashState crashed) {
            counts.crashInRecovery();
            ImageOracle oracle = new ImageOracle(crashed.files(), variant.backing());
            for (Complaint complaint : StateOracle.complaints(oracle, history, variant)) {
              complaints.add(notRecovered("%s: %s".formatted(crashed.name(), complaint)));
            }
          }
        };
    new CrashStates(state, events, CRASHES, variant.promisesPowerLoss(), new SplittableRandom(seed))
        .visit(visitor);
    return complaints;
  }

  private static Complaint notRecovered(String text) {
    return new Complaint(Complaint.Kind.NOT_RECOVERED, text);
  }
}
