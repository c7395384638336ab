package org.qcowfs.it.kit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what another process does, by looking again and again. */
public final class Await {
  private static final Duration LOOK_EVERY = Duration.ofMillis(5);
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  private Await() {}

  /** Returns once the condition holds. The deadline only keeps the suite from hanging. */
  public static void until(String what, BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertThat(Duration.ofNanos(System.nanoTime() - start)).as(what).isLessThan(DEADLINE);
      LockSupport.parkNanos(LOOK_EVERY.toNanos());
    }
  }
}
