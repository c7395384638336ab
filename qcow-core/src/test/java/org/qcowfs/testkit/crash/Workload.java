package org.qcowfs.testkit.crash;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.qcowfs.testkit.crash.Schedule.Task;

/**
 * What guest threads do in a run: rounds of writes, zeroing, discards and flushes by several
 * threads at once, at places that overlap now and then, with a change of size between the rounds.
 * The seed alone decides what each of them does.
 */
public final class Workload {
  /**
   * How much happens.
   *
   * @param sectors of the disk, of 512 bytes
   * @param clusterSectors of a cluster
   * @param resizes whether the size of the disk changes too
   */
  public record Size(int sectors, int clusterSectors, boolean resizes) {}

  /** What the guest does about a request that failed. It goes on if this returns. */
  @FunctionalInterface
  public interface Failures {
    void failed(Throwable failure) throws Exception;
  }

  private static final int SECTOR_BYTES = 512;
  private static final int ROUNDS = 3;
  private static final int THREADS = 3;
  private static final int OPERATIONS = 5;

  private final Size size;
  private final SplittableRandom random;
  private final GuestDisk disk;
  private final RunRecord record;
  private final Failures failures;
  private int requests;
  private int currentSectors;

  /** A guest that ends with the first request that fails. */
  public Workload(Size size, long seed, GuestDisk disk, RunRecord record) {
    this(size, seed, disk, record, Workload::giveUp);
  }

  public Workload(Size size, long seed, GuestDisk disk, RunRecord record, Failures failures) {
    this.failures = failures;
    this.size = size;
    this.random = new SplittableRandom(seed);
    this.disk = disk;
    this.record = record;
    this.currentSectors = size.sectors();
  }

  private static void giveUp(Throwable failure) throws Exception {
    if (failure instanceof Error error) {
      throw error;
    }
    throw (Exception) failure;
  }

  /** Does everything, and ends with a clean end. */
  public void run() throws Exception {
    runRounds();
    finish();
  }

  /** Does everything but the end. */
  public void runRounds() throws Exception {
    Schedule schedule = new Schedule(random.split());
    for (int round = 0; round < ROUNDS; round++) {
      List<Task> tasks = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        tasks.add(guest(round == 0 ? OPERATIONS : OPERATIONS - 1));
      }
      schedule.run(tasks);
      if (size.resizes() && round < ROUNDS - 1) {
        resize(round == 0 ? size.sectors() / 2 : size.sectors());
      }
    }
  }

  /** Asks for a clean end. */
  public void finish() throws Exception {
    flush(requests++, disk::finish, disk.promiseOfFinish());
  }

  private Task guest(int operations) {
    List<Task> tasks = new ArrayList<>();
    for (int i = 0; i < operations; i++) {
      tasks.add(operation());
    }
    return () -> {
      for (Task task : tasks) {
        Schedule.pause();
        task.run();
      }
    };
  }

  private Task operation() {
    int request = requests++;
    int kind = random.nextInt(12);
    int count = 1 + random.nextInt(random.nextInt(4) == 0 ? 6 * size.clusterSectors() + 1 : 12);
    int first = random.nextInt(currentSectors);
    if (random.nextInt(3) == 0) {
      first -= first % size.clusterSectors();
      count += (size.clusterSectors() - count % size.clusterSectors()) % size.clusterSectors();
    }
    int sectors = Math.min(count, currentSectors - first);
    int start = first;
    return switch (kind) {
      case 0, 1 -> () -> flush(request, disk::flush, disk.promiseOfFlush());
      case 2 -> () -> zero(request, start, sectors, false);
      case 3, 4, 5 -> () -> zero(request, start, sectors, true);
      case 6 -> () -> succeeds(() -> disk.allocate(bytes(start), bytes(sectors)));
      default -> () -> write(request, start, sectors);
    };
  }

  private static long bytes(int sectors) {
    return (long) sectors * SECTOR_BYTES;
  }

  private void flush(int request, Task flush, Promise promise) throws Exception {
    record.add(new Event.FlushBegins(request));
    if (succeeds(flush)) {
      record.add(new Event.FlushEnds(request, promise));
    }
  }

  private void zero(int request, int first, int sectors, boolean unmap) throws Exception {
    record.add(new Event.ChangeBegins(request, first, sectors, 0));
    change(request, () -> disk.zero(bytes(first), bytes(sectors), unmap));
  }

  /** Writes sectors with a stamp of their own. */
  public void write(int first, int sectors) throws Exception {
    write(requests++, first, sectors);
  }

  private void write(int request, int first, int sectors) throws Exception {
    int number = request + 1;
    ByteBuffer bytes = ByteBuffer.allocate(sectors * SECTOR_BYTES);
    for (int i = 0; i < sectors; i++) {
      for (int word = 0; word < SECTOR_BYTES / Long.BYTES; word++) {
        bytes.putLong(GuestHistory.stamp(first + i, number));
      }
    }
    record.add(new Event.ChangeBegins(request, first, sectors, number));
    change(request, () -> disk.write(bytes.flip(), bytes(first)));
  }

  private void resize(int sectors) throws Exception {
    int request = requests++;
    record.add(new Event.ResizeBegins(request, sectors));
    change(request, () -> disk.resize(bytes(sectors)));
    currentSectors = (int) (disk.size() / SECTOR_BYTES);
  }

  private void change(int request, Task change) throws Exception {
    boolean succeeded = succeeds(change);
    record.add(
        succeeded
            ? new Event.ChangeEnds(request, disk.promiseOfChange())
            : new Event.ChangeFails(request));
  }

  private boolean succeeds(Task task) throws Exception {
    try {
      task.run();
      return true;
    } catch (Exception | Error e) {
      failures.failed(e);
      return false;
    }
  }

  /** Flushes, as a guest does. */
  public void flush() throws Exception {
    flush(requests++, disk::flush, disk.promiseOfFlush());
  }
}
