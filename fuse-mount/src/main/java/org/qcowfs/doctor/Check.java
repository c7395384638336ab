package org.qcowfs.doctor;

import java.io.IOException;

/** Looks at one thing that a mount needs. */
interface Check {
  /** What is looked at, in one or two words. */
  String name();

  /**
   * Looks at it.
   *
   * @throws IOException when it cannot be looked at
   */
  Finding examine() throws IOException;
}
