package org.qcowfs.image;

import java.util.ArrayList;
import java.util.List;
import org.qcowfs.testkit.crash.Complaint;
import org.qcowfs.testkit.crash.GuestHistory;
import org.qcowfs.testkit.crash.ImageOracle;

/** Holds the image of a state against its specification and against the guest's history. */
final class StateOracle {
  private StateOracle() {}

  /** Everything that is wrong; the contents only where the structures are right. */
  static List<Complaint> complaints(
      ImageOracle oracle, GuestHistory history, CrashVariant variant) {
    List<Complaint> complaints = new ArrayList<>(oracle.check());
    if (!complaints.isEmpty()) {
      return complaints;
    }
    if (!history.allowsSize(oracle.sectorCount())) {
      complaints.add(
          new Complaint(
              Complaint.Kind.LOST, "the disk has %d sectors".formatted(oracle.sectorCount())));
    }
    oracle.visitDisk(
        (sector, stamp) -> {
          if (!history.allows(sector, stamp)) {
            complaints.add(history.complaint(sector, stamp));
          }
        });
    long[] initial = variant.initial();
    oracle.visitSnapshots(
        (sector, stamp) -> {
          if (stamp != initial[sector]) {
            complaints.add(
                new Complaint(
                    Complaint.Kind.LOST,
                    "sector %d of the snapshot holds %x".formatted(sector, stamp)));
          }
        });
    return complaints;
  }
}
