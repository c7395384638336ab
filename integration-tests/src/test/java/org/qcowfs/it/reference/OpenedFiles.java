package org.qcowfs.it.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.qcowfs.it.kit.Command;

/** Which files a command and its children tried to open, as the kernel saw it. */
final class OpenedFiles {
  private final Path trace;

  /** {@code trace} is where the system calls are written down. */
  OpenedFiles(Path trace) {
    this.trace = trace;
  }

  /** The command, watched. */
  Command watch(Command command) {
    return command.under(
        "strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=open,openat,openat2", "-o", trace);
  }

  /** Asserts that the image was opened (so the watch worked) and that name never was. */
  void assertNever(String name, Path image) {
    List<String> calls = lines();
    assertThat(calls).anyMatch(call -> call.contains('"' + image.toString() + '"'));
    assertThat(calls).noneMatch(call -> call.contains(name));
  }

  private List<String> lines() {
    try {
      return Files.readAllLines(trace);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
