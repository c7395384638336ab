package org.qcowfs.testkit.crash;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.qcowfs.testkit.storage.MemoryStorage;
import org.qcowfs.testkit.storage.PowerLossStorage;
import org.qcowfs.testkit.storage.StorageOperation;
import org.qcowfs.testkit.storage.StorageOperation.Kind;
import org.qcowfs.testkit.storage.SurvivorChoices;

/**
 * Goes through a record, and after each change of a host file shows the states in which a crash may
 * leave the files. Each state holds some part of the newest change: the others were shown before.
 *
 * <ul>
 *   <li>Death of the process: everything up to there; a write also cut at each page of the host.
 *   <li>Power loss: everything flushed, and any part of the rest, in sectors of 512 bytes; all
 *       combinations where few sectors are pending, else a selection that the seed decides.
 * </ul>
 */
public final class CrashStates {
  /** How many states are shown. */
  public record Budget(int exhaustiveParts, int samples, int everyNth) {
    /** Whether every combination of so many pending parts is shown. */
    boolean isExhaustive(int parts) {
      return parts <= exhaustiveParts;
    }
  }

  /** Is shown each state, in the order of the record. */
  public interface Visitor {
    /** An event, before the states that it leads to. */
    void event(Event event);

    /** A state that a crash may leave after the events so far. */
    void state(CrashState state) throws IOException;
  }

  private static final int HOST_PAGE_BYTES = 4096;
  private static final long FILE_SHIFT = 40;

  private final List<PowerLossStorage> files = new ArrayList<>();
  private final List<Event> events;
  private final Budget budget;
  private final boolean powerLoss;
  private final SplittableRandom random;

  /**
   * @param before the host files at the beginning of the record
   * @param powerLoss whether to show power losses; deaths are shown always
   */
  public CrashStates(
      HostFiles before,
      List<Event> events,
      Budget budget,
      boolean powerLoss,
      SplittableRandom random) {
    for (MemoryStorage file : before.files()) {
      files.add(new PowerLossStorage(file, PowerLossStorage.NEVER));
    }
    this.events = events;
    this.budget = budget;
    this.powerLoss = powerLoss;
    this.random = random;
  }

  /** Shows every event and state. */
  public void visit(Visitor visitor) throws IOException {
    int changes = random.nextInt(budget.everyNth);
    for (int position = 0; position < events.size(); position++) {
      Event event = events.get(position);
      visitor.event(event);
      if (event instanceof Event.Host host) {
        HostFiles before = current();
        long[] pendingBefore = pendingChanges(host.file());
        files.get(host.file()).replay(host.operation());
        if (isChange(host.operation()) && ++changes % budget.everyNth == 0) {
          showDeaths(position + 1, host, before, visitor);
          if (powerLoss) {
            showPowerLosses(position + 1, host.file(), pendingBefore.length, visitor);
          }
        }
      }
    }
  }

  private static boolean isChange(StorageOperation operation) {
    return operation.kind() != Kind.FLUSH && operation.kind() != Kind.FLUSH_DONE;
  }

  private HostFiles current() {
    return new HostFiles(files.stream().map(PowerLossStorage::current).toList());
  }

  private long[] pendingChanges(int file) {
    return files.get(file).pendingChanges();
  }

  private void showDeaths(int position, Event.Host host, HostFiles before, Visitor visitor)
      throws IOException {
    StorageOperation operation = host.operation();
    if (operation.kind() == Kind.WRITE) {
      long page = -operation.hostOffset() & (HOST_PAGE_BYTES - 1);
      for (long cut = page == 0 ? HOST_PAGE_BYTES : page;
          cut < operation.length();
          cut += HOST_PAGE_BYTES) {
        MemoryStorage file = before.files().get(host.file()).copy();
        ByteBuffer bytes = operation.bytes().duplicate();
        file.write(bytes.limit((int) cut), operation.hostOffset());
        visitor.state(
            new CrashState(
                Crash.DEATH, position, Long.toString(cut), before.with(host.file(), file)));
      }
    }
    visitor.state(new CrashState(Crash.DEATH, position, "all", current()));
  }

  private void showPowerLosses(int position, int file, int oldParts, Visitor visitor)
      throws IOException {
    long[] changeOfPart =
        LongStream.range(0, files.size())
            .flatMap(i -> Arrays.stream(pendingChanges((int) i)).map(c -> c | i << FILE_SHIFT))
            .toArray();
    int newFrom = file == 0 ? oldParts : files.get(0).pendingParts() + oldParts;
    int newTo = newFrom + pendingChanges(file).length - oldParts;
    for (BitSet kept : choices(changeOfPart)) {
      int firstNew = kept.nextSetBit(newFrom);
      if (firstNew >= 0 && firstNew < newTo) {
        visitor.state(powerLoss(position, kept));
      }
    }
  }

  private List<BitSet> choices(long[] changeOfPart) {
    int most =
        budget.isExhaustive(changeOfPart.length) ? 1 << budget.exhaustiveParts() : budget.samples();
    return SurvivorChoices.of(changeOfPart, most, random);
  }

  private CrashState powerLoss(int position, BitSet kept) {
    List<MemoryStorage> survivors = new ArrayList<>();
    int from = 0;
    for (PowerLossStorage file : files) {
      int to = from + file.pendingParts();
      survivors.add(file.surviving(kept.get(from, to)));
      from = to;
    }
    return new CrashState(Crash.POWER_LOSS, position, hex(kept), new HostFiles(survivors));
  }

  private static String hex(BitSet bits) {
    StringBuilder hex = new StringBuilder();
    for (long word : bits.toLongArray()) {
      hex.insert(0, "%016x".formatted(word));
    }
    return hex.toString();
  }
}
