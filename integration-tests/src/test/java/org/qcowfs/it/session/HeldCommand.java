package org.qcowfs.it.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.qcowfs.it.kit.Await;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.Marked;
import org.qcowfs.it.kit.Qcowfs;

/**
 * A command of ours that was stopped at its first read of the image, when it has its locks, until
 * {@link #close} lets it go on to its end. It should be a command that nothing else waits for.
 */
final class HeldCommand implements AutoCloseable {
  private final Marked mark;
  private final Process tracer;
  private final ProcessHandle held;
  private final Path trace;

  private HeldCommand(Marked mark, Process tracer, ProcessHandle held, Path trace) {
    this.mark = mark;
    this.tracer = tracer;
    this.held = held;
    this.trace = trace;
  }

  /** Starts it; returns once it is stopped. */
  static HeldCommand hold(Path image, Object... words) {
    Path trace = image.resolveSibling("held.trace");
    Command command =
        Qcowfs.command(words)
            .with(List.of(image))
            .under(
                "strace",
                "-f",
                "-qq",
                "-P",
                image,
                "-e",
                "trace=pread64",
                "-e",
                "inject=pread64:signal=SIGSTOP:when=1",
                "-o",
                trace);
    Marked mark = new Marked();
    Process tracer =
        mark.mark(command)
            .start(image.resolveSibling("held.out"), image.resolveSibling("held.err"));
    Await.until("it is stopped", () -> isHeld(trace) || !tracer.isAlive());
    return new HeldCommand(mark, tracer, java(tracer), trace);
  }

  private static ProcessHandle java(Process tracer) {
    return tracer.children().findFirst().orElseThrow();
  }

  /** Not by its state: under a tracer, a process stops for a moment at every turn. */
  private static boolean isHeld(Path trace) {
    try {
      return Files.exists(trace) && Files.readString(trace).contains("stopped by SIGSTOP");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Each of its threads stops at its own first read, so it is let go on until it has ended. */
  @Override
  public void close() {
    try {
      Await.until(
          "its end",
          () -> {
            Command.of("kill", "-CONT", held.pid()).run();
            return !tracer.isAlive();
          });
      assertThat(tracer.exitValue()).as("exit code of what was held").isZero();
      Files.deleteIfExists(trace);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      mark.kill();
    }
  }
}
