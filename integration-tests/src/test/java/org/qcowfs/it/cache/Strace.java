package org.qcowfs.it.cache;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.qcowfs.it.kit.Await;
import org.qcowfs.it.kit.Command;

/**
 * {@code strace} on a daemon: the calls that it makes on files of one directory, in their order.
 *
 * <p>A thread goes on only when the end of its call has been written down. So when the daemon has
 * answered a request, the trace has every call that it made for it before the answer.
 */
final class Strace implements AutoCloseable {
  private final Process strace;
  private final Path watched;
  private final Path trace;
  private long charactersRead;

  private Strace(Process strace, Path watched, Path trace) {
    this.strace = strace;
    this.watched = watched;
    this.trace = trace;
  }

  /**
   * Begins to watch every thread of a process.
   *
   * @param watched the directory with the files that matter
   * @param notes a directory for what strace writes
   */
  static Strace attach(ProcessHandle daemon, Path watched, Path notes) {
    Path trace = notes.resolve("trace");
    Path said = notes.resolve("strace.err");
    Process strace =
        Command.of("strace", "-f", "-y", "-v", "-s", "0", "-o", trace, "-p", daemon.pid())
            .with(List.of("-e", "trace=" + String.join(",", HostCall.NAMES), "-e", "signal=none"))
            .start(notes.resolve("strace.out"), said);
    Await.until("strace attached", () -> !strace.isAlive() || text(said).contains(" attached"));
    return new Strace(strace, watched, trace);
  }

  /** The calls that have begun since the last time. */
  List<HostCall> take() {
    String all = text(trace);
    String fresh = all.substring((int) charactersRead, all.lastIndexOf('\n') + 1);
    charactersRead += fresh.length();
    return fresh
        .lines()
        .map(HostCall::parse)
        .flatMap(Optional::stream)
        .filter(this::matters)
        .toList();
  }

  /** A call that names no file could be about each of them. */
  private boolean matters(HostCall call) {
    return call.file().startsWith(watched) || call.file().toString().isEmpty();
  }

  /** The calls up to the end of the process. */
  List<HostCall> takeUntilEnd() {
    Command.awaitEnd(strace.toHandle());
    return take();
  }

  private static String text(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file, StandardCharsets.ISO_8859_1) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Lets go of the process, if it still runs. */
  @Override
  public void close() {
    strace.destroy();
    Command.awaitEnd(strace.toHandle());
  }
}
