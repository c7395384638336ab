package org.qcowfs.it.kit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A mark in the environment of one command and of every process that it leaves behind, whatever
 * that is called: so a daemon is found without asking it, and a forgotten one too.
 */
public final class Marked {
  private static final String VARIABLE = "QCOWFS_IT_MARK";
  private static final AtomicLong NEXT = new AtomicLong();

  private final String value = ProcessHandle.current().pid() + "." + NEXT.getAndIncrement();

  /** The command carrying this mark. */
  public Command mark(Command command) {
    return command.env(VARIABLE, value);
  }

  /** The living processes with this mark. */
  public List<ProcessHandle> processes() {
    return ProcessHandle.allProcesses().filter(this::isMarked).toList();
  }

  /** Ends them without asking, so that after a failure the next test does not meet them. */
  public void kill() {
    processes().forEach(ProcessHandle::destroyForcibly);
  }

  private boolean isMarked(ProcessHandle process) {
    try {
      byte[] environment = Files.readAllBytes(Path.of("/proc", "" + process.pid(), "environ"));
      String text = new String(environment, StandardCharsets.UTF_8);
      return List.of(text.split("\0")).contains(VARIABLE + "=" + value);
    } catch (IOException e) {
      return false; // it has ended meanwhile
    }
  }
}
