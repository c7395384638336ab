package org.qcowfs.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** QEMU's tools, which make images and judge them. They must be installed. */
public final class QemuTools {
  private QemuTools() {}

  /** What a tool answered. */
  public record Answer(int exitCode, String output) {}

  /** Runs a tool in a directory and waits for its end. */
  public static Answer run(Path directory, List<String> command) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new IOException(command.get(0) + " does not start; install qemu-utils", e);
    }
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      return new Answer(process.waitFor(), output.strip());
    } catch (InterruptedException e) {
      process.destroyForcibly();
      throw new IOException("interrupted while " + command.get(0) + " ran", e);
    }
  }

  /** As {@link #run}, for a command that must succeed. */
  public static String succeed(Path directory, String... command) throws IOException {
    Answer answer = run(directory, List.of(command));
    if (answer.exitCode() != 0) {
      throw new IOException(
          "%s: exit code %d: %s".formatted(List.of(command), answer.exitCode(), answer.output()));
    }
    return answer.output();
  }
}
