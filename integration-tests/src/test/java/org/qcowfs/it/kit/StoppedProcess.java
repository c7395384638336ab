package org.qcowfs.it.kit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import jnr.ffi.LibraryLoader;

/**
 * A process that SIGSTOP has stopped, until {@link #close} lets it go on. Should nobody come to
 * close it, as when this process is killed, a watchdog does so after a minute at most.
 *
 * <p>While a mount's daemon is stopped, start no program and look at none: a program that begins
 * closes what this process has open of the mount, which waits for the daemon; and so does whoever
 * asks for its command line. So the signals are sent without help from other programs.
 */
public final class StoppedProcess implements AutoCloseable {
  private static final LibC LIBC = LibraryLoader.create(LibC.class).load("c");
  private static final int SIGCONT = 18;
  private static final int SIGSTOP = 19;
  private static final String WATCHDOG = "read -r -t 60 end; kill -CONT $0";

  private final int pid;
  private final Process watchdog;

  private StoppedProcess(ProcessHandle process) throws IOException {
    pid = Math.toIntExact(process.pid());
    watchdog =
        new ProcessBuilder("bash", "-c", WATCHDOG, "" + pid)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
  }

  /** Stops a process; returns when none of its threads runs any more. */
  public static StoppedProcess stop(ProcessHandle process) {
    try {
      StoppedProcess stopped = new StoppedProcess(process);
      stopped.signal(SIGSTOP);
      try {
        Await.until("every thread is stopped", stopped::isStopped);
      } catch (Throwable e) {
        stopped.close();
        throw e;
      }
      return stopped;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void signal(int number) {
    if (LIBC.kill(pid, number) != 0) {
      throw new AssertionError("signal %d does not reach process %d".formatted(number, pid));
    }
  }

  /** Whether none of its threads runs. */
  public boolean isStopped() {
    try (DirectoryStream<Path> threads =
        Files.newDirectoryStream(Path.of("/proc", "" + pid, "task"))) {
      for (Path thread : threads) {
        if (!Files.readString(thread.resolve("status")).contains("State:\tT")) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Lets it go on. */
  @Override
  public void close() {
    try {
      signal(SIGCONT);
    } finally {
      endWatchdog();
    }
  }

  private void endWatchdog() {
    try {
      watchdog.getOutputStream().close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
