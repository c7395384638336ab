package org.qcowfs.session;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A process as {@code /proc/PID/stat} shows it.
 *
 * @param pid its number
 * @param name its command name
 * @param state one letter: R running, S sleeping, T stopped, t traced, Z dead but not waited for …
 * @param startTime when it started, in clock ticks since boot: tells it from a later process of the
 *     same number
 */
record HostProcess(long pid, String name, char state, long startTime) {
  private static final int LOOK_AGAIN_MILLIS = 20;

  /** The process of that number; empty when there is none. */
  static Optional<HostProcess> of(long pid) {
    try {
      Path stat = Path.of("/proc", Long.toString(pid), "stat");
      return parse(new String(Files.readAllBytes(stat), StandardCharsets.UTF_8));
    } catch (IOException e) {
      return Optional.empty(); // it has ended
    }
  }

  /** The name may hold anything, spaces and parentheses too: the last parenthesis ends it. */
  static Optional<HostProcess> parse(String stat) {
    int open = stat.indexOf('(');
    int close = stat.lastIndexOf(')');
    if (open < 0 || close < open) {
      return Optional.empty();
    }
    String[] fields = stat.substring(close + 1).strip().split(" ", -1);
    if (fields.length < 20) {
      return Optional.empty();
    }
    return Optional.of(
        new HostProcess(
            Long.parseLong(stat.substring(0, open).strip()),
            stat.substring(open + 1, close),
            fields[0].charAt(0),
            Long.parseLong(fields[19])));
  }

  /**
   * Waits until it has ended. Of one that its parent has not asked for yet, no end is told: to the
   * system it still exists. The parent may well be waiting for whoever waits here.
   */
  void awaitEnd() {
    Optional<ProcessHandle> handle = ProcessHandle.of(pid);
    while (handle.isPresent() && isAlive()) {
      handle
          .get()
          .onExit()
          .completeOnTimeout(handle.get(), LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS)
          .join();
    }
  }

  private boolean isAlive() {
    return of(pid).filter(now -> now.startTime == startTime && !now.isDead()).isPresent();
  }

  boolean isStopped() {
    return state == 'T' || state == 't';
  }

  /** Whether it has ended, and only its parent has not asked for it yet. */
  boolean isDead() {
    return state == 'Z' || state == 'X';
  }
}
