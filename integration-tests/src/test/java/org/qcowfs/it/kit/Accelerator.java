package org.qcowfs.it.kit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;

/** Which of the two ways the requests of this run's mounts take. */
public final class Accelerator {
  /** Whether reads and writes are answered without libfuse, as mounts do it by themselves. */
  public static final boolean ON = !System.getProperty("qcowfs.it.accelerate", "on").equals("off");

  /** Of many cases, how many of them are tried without it. */
  private static final int ONE_OF = 5;

  private Accelerator() {}

  /** The cases of this run: all of them, or of a long list only some where it is switched off. */
  public static <T> List<T> choose(List<T> cases) {
    return ON
        ? cases
        : IntStream.range(0, cases.size())
            .filter(i -> i % ONE_OF == 0)
            .mapToObj(cases::get)
            .toList();
  }

  /**
   * A test class that Maven runs twice: as it is, and with {@code -Dqcowfs.it.accelerate=off}, so
   * that its mounts answer everything by libfuse's callbacks.
   */
  @Target(ElementType.TYPE)
  @Retention(RetentionPolicy.RUNTIME)
  @Tag("both-ways")
  public @interface BothWays {}
}
