package org.qcowfs.testkit.crash;

import java.io.IOException;
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

  private static final int SECTOR_BYTES = 512;
  private static final int ROUNDS = 3;
  private static final int THREADS = 3;
  private static final int OPERATIONS = 5;

  private final Size size;
  private final SplittableRandom random;
  private final GuestDisk disk;
  private final RunRecord record;
  private int requests;
  private int currentSectors;

  public Workload(Size size, long seed, GuestDisk disk, RunRecord record) {
    this.size = size;
    this.random = new SplittableRandom(seed);
    this.disk = disk;
    this.record = record;
    this.currentSectors = size.sectors();
  }

  /** Does everything, and ends with a clean end. */
  public void run() throws Exception {
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
    int request = requests++;
    record.add(new Event.FlushBegins(request));
    disk.finish();
    record.add(new Event.FlushEnds(request, disk.promiseOfFinish()));
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
      case 0, 1 -> () -> flush(request);
      case 2 -> () -> zero(request, start, sectors, false);
      case 3, 4, 5 -> () -> zero(request, start, sectors, true);
      case 6 -> () -> disk.allocate(bytes(start), bytes(sectors));
      default -> () -> write(request, start, sectors);
    };
  }

  private static long bytes(int sectors) {
    return (long) sectors * SECTOR_BYTES;
  }

  private void flush(int request) throws IOException {
    record.add(new Event.FlushBegins(request));
    disk.flush();
    record.add(new Event.FlushEnds(request, disk.promiseOfFlush()));
  }

  private void zero(int request, int first, int sectors, boolean unmap) throws IOException {
    record.add(new Event.ChangeBegins(request, first, sectors, 0));
    disk.zero(bytes(first), bytes(sectors), unmap);
    record.add(new Event.ChangeEnds(request, disk.promiseOfChange()));
  }

  private void write(int request, int first, int sectors) throws IOException {
    int number = request + 1;
    ByteBuffer bytes = ByteBuffer.allocate(sectors * SECTOR_BYTES);
    for (int i = 0; i < sectors; i++) {
      for (int word = 0; word < SECTOR_BYTES / Long.BYTES; word++) {
        bytes.putLong(GuestHistory.stamp(first + i, number));
      }
    }
    record.add(new Event.ChangeBegins(request, first, sectors, number));
    disk.write(bytes.flip(), bytes(first));
    record.add(new Event.ChangeEnds(request, disk.promiseOfChange()));
  }

  private void resize(int sectors) throws IOException {
    int request = requests++;
    record.add(new Event.ResizeBegins(request, sectors));
    disk.resize(bytes(sectors));
    currentSectors = sectors;
    record.add(new Event.ChangeEnds(request, disk.promiseOfChange()));
  }
}
