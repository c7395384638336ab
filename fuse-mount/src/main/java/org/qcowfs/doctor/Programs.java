package org.qcowfs.doctor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** Runs programs of the host. */
@FunctionalInterface
interface Programs {
  /** What the program printed; empty when it is not installed, or failed. */
  Optional<String> run(List<String> command);

  /** The real programs, in the plain C locale. */
  static Programs ofThisHost() {
    return Programs::start;
  }

  private static Optional<String> start(List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C");
    try {
      Process process = builder.start();
      process.getOutputStream().close();
      String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? Optional.of(printed) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // not installed, which is an answer
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
