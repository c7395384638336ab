package org.qcowfs.testkit.crash;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.AbstractOwnableSynchronizer;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Lets threads run one at a time, from one pause to the next, in an order that a seed decides. A
 * thread that waits for a lock of another one counts as standing still, so a run in which every
 * thread waits for another is found out.
 *
 * <p>A thread that gives a lock back and one that waited for it run side by side up to their next
 * pause. So where such threads meet again within that piece, the same seed may give another order:
 * in about a quarter of the runs of three threads, as measured.
 */
public final class Schedule {
  /** What one thread does. */
  @FunctionalInterface
  public interface Task {
    void run() throws Exception;
  }

  private enum State {
    RUNNING,
    PAUSED,
    /** Chosen to go on, but not awake yet. */
    RELEASED,
    ENDED
  }

  private static final ThreadLocal<@Nullable Worker> CURRENT = new ThreadLocal<>();
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final long NOBODY = -1;
  private static final int SPINS = 2000;

  /** The Java runtime too makes a thread wait now and then, for direct memory say. */
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  private final SplittableRandom random;

  public Schedule(SplittableRandom random) {
    this.random = random;
  }

  /** One thread and where it stands. */
  private static final class Worker {
    private final Semaphore turn = new Semaphore(0);
    private final Thread thread;
    private volatile State state = State.RUNNING;
    private volatile long pauses;
    private volatile @Nullable Throwable failure;

    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on the scheduler's answer
    Worker(Task task) {
      thread =
          new Thread(
              () -> {
                CURRENT.set(this);
                pause();
                try {
                  task.run();
                } catch (Throwable e) {
                  failure = e;
                } finally {
                  state = State.ENDED;
                }
              },
              "guest");
      thread.setDaemon(true);
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // only the thread itself counts
    void pause() {
      pauses++;
      state = State.PAUSED;
      turn.acquireUninterruptibly();
      state = State.RUNNING;
    }

    void release() {
      state = State.RELEASED;
      turn.release();
    }

    boolean standsStill() {
      return switch (state) {
        case PAUSED, ENDED -> true;
        case RELEASED -> false;
        case RUNNING ->
            switch (thread.getState()) {
              case BLOCKED -> isLockHeld();
              case WAITING ->
                  !(LockSupport.getBlocker(thread) instanceof AbstractOwnableSynchronizer)
                      || isLockHeld();
              default -> false;
            };
      };
    }

    /** If nobody holds the lock that the thread waits for, it has been woken, or is about to be. */
    private boolean isLockHeld() {
      ThreadInfo info = THREADS.getThreadInfo(thread.getId());
      return info != null && info.getLockOwnerId() != NOBODY;
    }
  }

  /** Where the thread that calls may be made to wait for the others; nothing for other threads. */
  public static void pause() {
    Worker worker = CURRENT.get();
    if (worker != null) {
      worker.pause();
    }
  }

  /**
   * Runs the tasks to their end, each in a thread of its own.
   *
   * @throws IllegalStateException when they wait for each other for good
   */
  public void run(List<Task> tasks) throws Exception {
    List<Worker> workers = tasks.stream().map(Worker::new).toList();
    workers.forEach(worker -> worker.thread.start());
    long progress = System.nanoTime();
    while (workers.stream().anyMatch(worker -> worker.state != State.ENDED)) {
      awaitStandstill(workers);
      List<Worker> ready = workers.stream().filter(w -> w.state == State.PAUSED).toList();
      if (!ready.isEmpty()) {
        ready.get(random.nextInt(ready.size())).release();
        progress = System.nanoTime();
      } else if (System.nanoTime() - progress > PATIENCE_NANOS) {
        throw new IllegalStateException("guest threads wait for each other: " + stacks(workers));
      }
    }
    rethrow(workers);
  }

  private static void rethrow(List<Worker> workers) throws Exception {
    for (Worker worker : workers) {
      Throwable failure = worker.failure;
      if (failure instanceof Error error) {
        throw error;
      }
      if (failure instanceof Exception exception) {
        throw exception;
      }
    }
  }

  private static List<String> stacks(List<Worker> workers) {
    List<String> stacks = new ArrayList<>();
    for (Worker worker : workers) {
      stacks.add(worker.state + " " + List.of(worker.thread.getStackTrace()));
    }
    return stacks;
  }

  /**
   * Waits until no thread can go on by itself. Looks twice: a thread that another one woke between
   * the looks at the two runs at the second look, or has paused once more.
   */
  @SuppressWarnings("ThreadPriorityCheck") // a hint only: who is looked at must come to run
  private static void awaitStandstill(List<Worker> workers) {
    long pauses = -1;
    int quietLooks = 0;
    for (int looks = 0; quietLooks < 2; looks++) {
      long now = workers.stream().mapToLong(worker -> worker.pauses).sum();
      boolean still = workers.stream().allMatch(Worker::standsStill);
      quietLooks = still && now == pauses ? quietLooks + 1 : 0;
      pauses = now;
      if (looks < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }
}
