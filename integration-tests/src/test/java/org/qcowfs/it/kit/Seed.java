package org.qcowfs.it.kit;

import java.util.SplittableRandom;

/**
 * Where the tests' random numbers come from. {@code -Dqcowfs.it.seed=N} repeats a run; the seed is
 * printed once, so a failure can be had again.
 */
public final class Seed {
  private static final String PROPERTY = "qcowfs.it.seed";
  private static final long VALUE = Long.getLong(PROPERTY, 20_261_120L);

  static {
    System.out.println("random tests: -D" + PROPERTY + "=" + VALUE);
  }

  private Seed() {}

  /** A generator of its own for each purpose, so that tests do not depend on each other's order. */
  public static SplittableRandom random(String purpose) {
    return new SplittableRandom(VALUE * 31 + purpose.hashCode());
  }
}
