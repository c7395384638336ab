package org.qcowfs.image;

import java.util.concurrent.atomic.AtomicLong;
import org.qcowfs.testkit.crash.Crash;

/** What simulations have looked at, for the line that they end with. */
final class CrashCounts {
  private final AtomicLong runs = new AtomicLong();
  private final AtomicLong hostOperations = new AtomicLong();
  private final AtomicLong deaths = new AtomicLong();
  private final AtomicLong powerLosses = new AtomicLong();
  private final AtomicLong recoveries = new AtomicLong();
  private final AtomicLong repairs = new AtomicLong();
  private final AtomicLong crashesInRecovery = new AtomicLong();
  private final AtomicLong judgedByQemu = new AtomicLong();
  private final AtomicLong convertedByQemu = new AtomicLong();
  private final AtomicLong leaking = new AtomicLong();
  private final AtomicLong mostLeaks = new AtomicLong();

  void run(long operations) {
    runs.incrementAndGet();
    hostOperations.addAndGet(operations);
  }

  /** The number of the state, from 1. */
  long state(Crash crash) {
    return crash == Crash.DEATH
        ? deaths.incrementAndGet() + powerLosses.get()
        : powerLosses.incrementAndGet() + deaths.get();
  }

  void leaks(int clusters) {
    if (clusters > 0) {
      leaking.incrementAndGet();
      mostLeaks.accumulateAndGet(clusters, Math::max);
    }
  }

  void recovery(boolean repair) {
    recoveries.incrementAndGet();
    if (repair) {
      repairs.incrementAndGet();
    }
  }

  long recoveries() {
    return recoveries.get();
  }

  void crashInRecovery() {
    crashesInRecovery.incrementAndGet();
  }

  void judgedByQemu() {
    judgedByQemu.incrementAndGet();
  }

  void convertedByQemu() {
    convertedByQemu.incrementAndGet();
  }

  long states() {
    return deaths.get() + powerLosses.get();
  }

  @Override
  public String toString() {
    return ("%d states (%d after a death, %d after a power loss) of %d runs with %d host"
            + " operations; %d recovered, %d of them repaired, %d crashes in recovery; %d judged by"
            + " QEMU too, %d of them also converted; %d with leaks, of at most %d clusters")
        .formatted(
            states(),
            deaths.get(),
            powerLosses.get(),
            runs.get(),
            hostOperations.get(),
            recoveries.get(),
            repairs.get(),
            crashesInRecovery.get(),
            judgedByQemu.get(),
            convertedByQemu.get(),
            leaking.get(),
            mostLeaks.get());
  }
}
