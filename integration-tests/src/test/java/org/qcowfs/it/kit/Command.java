package org.qcowfs.it.kit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.assertj.core.api.Assertions;

/**
 * A program to run, with its environment and a deadline after which it and its children are killed.
 * The deadline protects the suite from hanging; it measures nothing. Immutable.
 *
 * <p>Output goes to files and not through pipes, so a daemon that the program leaves behind cannot
 * keep {@link #run} waiting.
 */
public final class Command {
  private static final Duration DEFAULT_DEADLINE = Duration.ofMinutes(2);

  /** Set in the environment of a test run, these would put words of Java's own on stderr. */
  private static final List<String> NOISY_VARIABLES =
      List.of("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS");

  private final List<String> words;
  private final Map<String, String> environment;
  private final Path directory;
  private final Duration deadline;

  private Command(
      List<String> words, Map<String, String> environment, Path directory, Duration deadline) {
    this.words = List.copyOf(words);
    this.environment = Map.copyOf(environment);
    this.directory = directory;
    this.deadline = deadline;
  }

  /** The program, looked up in {@code PATH}, and its arguments, a word each. Runs in {@code /}. */
  public static Command of(Object... words) {
    return new Command(strings(List.of(words)), Map.of(), Path.of("/"), DEFAULT_DEADLINE);
  }

  /** The same with further arguments at the end. */
  public Command with(List<?> more) {
    return new Command(joined(words, strings(more)), environment, directory, deadline);
  }

  /** The same, started by another program that takes this one as its last arguments. */
  public Command under(Object... wrapper) {
    return new Command(joined(strings(List.of(wrapper)), words), environment, directory, deadline);
  }

  /** The same with a variable set in its environment. */
  public Command env(String name, String value) {
    Map<String, String> more = new TreeMap<>(environment);
    more.put(name, value);
    return new Command(words, more, directory, deadline);
  }

  /** The same in another working directory. */
  public Command in(Path workingDirectory) {
    return new Command(words, environment, workingDirectory, deadline);
  }

  /** The same with another deadline. */
  public Command within(Duration limit) {
    return new Command(words, environment, directory, limit);
  }

  /** Runs it to its end. Exceeding the deadline fails the test. */
  public CommandResult run() {
    try {
      Path stdout = Files.createTempFile("qcowfs-it-", ".out");
      Path stderr = Files.createTempFile("qcowfs-it-", ".err");
      try {
        int exitCode = await(builder(stdout, stderr).start(), stdout, stderr);
        return new CommandResult(this, exitCode, text(stdout), text(stderr));
      } finally {
        Files.delete(stdout);
        Files.delete(stderr);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts it in the background, its output going to the two files. The caller ends it. */
  public Process start(Path stdout, Path stderr) {
    try {
      return builder(stdout, stderr).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Waits until a process that need not be a child has ended. Exceeding the deadline fails the
   * test.
   */
  public static void awaitEnd(ProcessHandle process) {
    try {
      var unused = process.onExit().get(DEFAULT_DEADLINE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } catch (ExecutionException | TimeoutException e) {
      Assertions.fail("process " + process.pid() + " did not end", e);
    }
  }

  private ProcessBuilder builder(Path stdout, Path stderr) {
    ProcessBuilder builder =
        new ProcessBuilder(words)
            .directory(directory.toFile())
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(stdout.toFile())
            .redirectError(stderr.toFile());
    NOISY_VARIABLES.forEach(builder.environment()::remove);
    builder.environment().putAll(environment);
    return builder;
  }

  private int await(Process process, Path stdout, Path stderr) throws IOException {
    try {
      if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        Assertions.fail(
            "hangs (killed after %s): %s%nstdout: %s%nstderr: %s",
            deadline, this, text(stdout), text(stderr));
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }

  private static List<String> strings(List<?> words) {
    return words.stream().map(Object::toString).toList();
  }

  private static List<String> joined(List<String> first, List<String> second) {
    List<String> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }

  /** The command line as a shell user would recognise it. */
  @Override
  public String toString() {
    return String.join(" ", words);
  }
}
