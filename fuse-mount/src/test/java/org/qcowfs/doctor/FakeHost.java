package org.qcowfs.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A machine in a directory, with programs that print what the test says. */
final class FakeHost {
  private static final long SOME_USER = 1000;

  private final Path root;
  private final Map<String, String> printedByCommand = new HashMap<>();

  FakeHost(Path root) {
    this.root = root;
  }

  FakeHost withFile(String absolute, String... lines) throws IOException {
    Path file = root.resolve(absolute.substring(1));
    Files.createDirectories(file.getParent());
    Files.write(file, List.of(lines));
    return this;
  }

  FakeHost withProgram(String absolute, int mode) throws IOException {
    withFile(absolute);
    Files.setAttribute(root.resolve(absolute.substring(1)), "unix:mode", mode);
    return this;
  }

  /** What the command, the root directory taken out of its words, prints. */
  FakeHost withOutput(String command, String printed) {
    printedByCommand.put(command, printed);
    return this;
  }

  Host ofUser() {
    return host(SOME_USER);
  }

  Host ofRoot() {
    return host(0);
  }

  private Host host(long uid) {
    return new Host(root, uid, Map.of("HOME", "/home/somebody"), this::run);
  }

  private Optional<String> run(List<String> command) {
    String words = String.join(" ", command).replace(root.toString() + "/", "/");
    return Optional.ofNullable(printedByCommand.get(words));
  }
}
