package org.qcowfs.cli;

import java.io.IOException;

/** Standard output, which keeps its errors to itself until it is asked. */
final class StandardOutput {
  private StandardOutput() {}

  /**
   * Makes sure that what was printed has left this process.
   *
   * @throws IOException when some of it has not
   */
  static void check() throws IOException {
    if (System.out.checkError()) {
      throw new IOException(
          "standard output cannot be written; is the disk full, or the pipe closed?");
    }
  }
}
