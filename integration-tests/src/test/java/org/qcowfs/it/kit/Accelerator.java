package org.qcowfs.it.kit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/** Which of the two ways the requests of this run's mounts take. */
public final class Accelerator {
  /** Whether reads and writes are answered without libfuse, as mounts do it by themselves. */
  public static final boolean ON = !System.getProperty("qcowfs.it.accelerate", "on").equals("off");

  private Accelerator() {}

  /**
   * A test class that Maven runs twice: as it is, and with {@code -Dqcowfs.it.accelerate=off}, so
   * that its mounts answer everything by libfuse's callbacks.
   */
  @Target(ElementType.TYPE)
  @Retention(RetentionPolicy.RUNTIME)
  @Tag("both-ways")
  public @interface BothWays {}
}
