package org.qcowfs.session;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The set-user-ID program that unmounts FUSE mounts for anybody who owns them. */
final class Fusermount {
  private static final List<String> DIRECTORIES =
      List.of("/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin", "/usr/local/sbin");
  private static final List<String> NAMES = List.of("fusermount", "fusermount3");

  private final Path program;

  private Fusermount(Path program) {
    this.program = program;
  }

  /**
   * How it went.
   *
   * @param done whether it succeeded
   * @param printed what it printed, in one line
   */
  record Result(boolean done, String printed) {}

  /**
   * Finds it by absolute path: what PATH names could be anybody's.
   *
   * @throws IOException when it is not installed
   */
  static Fusermount find() throws IOException {
    for (String directory : DIRECTORIES) {
      for (String name : NAMES) {
        Path candidate = Path.of(directory, name);
        if (Files.isExecutable(candidate)) {
          return new Fusermount(candidate);
        }
      }
    }
    throw new IOException("fusermount is not installed; install the package fuse3 (or fuse)");
  }

  /** Unmounts, and waits for it. */
  Result unmount(Path mountpoint) throws IOException {
    return run("-u", mountpoint.toString());
  }

  /**
   * Takes the mount out of sight at once; programs that use it go on as long as the daemon does.
   */
  Result detach(Path mountpoint) throws IOException {
    return run("-u", "-z", mountpoint.toString());
  }

  private Result run(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C.UTF-8");
    Process process = builder.start();
    process.getOutputStream().close();
    byte[] printed = process.getInputStream().readAllBytes();
    try {
      boolean done = process.waitFor() == 0;
      return new Result(done, oneLine(new String(printed, StandardCharsets.UTF_8)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + program + " was running", e);
    }
  }

  private static String oneLine(String printed) {
    return printed.strip().replaceAll("\\s*\\R\\s*", "; ");
  }
}
