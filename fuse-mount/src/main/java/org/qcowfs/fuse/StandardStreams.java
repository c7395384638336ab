package org.qcowfs.fuse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;

/** The process's standard streams, below Java: what native code prints goes the same way. */
public final class StandardStreams {
  private static final int STDOUT = 1;
  private static final int STDERR = 2;

  private static final int O_WRONLY = 1;
  private static final int O_CREAT = 0x40;
  private static final int O_APPEND = 0x400;
  private static final int O_NOFOLLOW = 0x20000;
  private static final int O_CLOEXEC = 0x80000;
  private static final int MFD_CLOEXEC = 1;
  private static final int OWNER_ONLY = 0600;

  private StandardStreams() {}

  /** What an action returned, and what was printed on standard error meanwhile. */
  record Captured<T>(T result, String printed) {}

  /** Runs the action and keeps from the terminal what it prints on standard error. */
  static <T> Captured<T> capturingErrors(Supplier<T> action) throws IOException {
    int saved = checked(LibC.dup(STDERR), "dup of standard error");
    int memory = checked(LibC.memfdCreate("stderr", MFD_CLOEXEC), "memfd_create");
    try {
      T result;
      LibC.dup2(memory, STDERR);
      try {
        result = action.get();
      } finally {
        LibC.dup2(saved, STDERR);
      }
      byte[] printed = Files.readAllBytes(Path.of("/proc/self/fd", Integer.toString(memory)));
      return new Captured<>(result, new String(printed, StandardCharsets.UTF_8));
    } finally {
      LibC.close(memory);
      LibC.close(saved);
    }
  }

  /** Lets standard error go to the end of the file, which is made where it is missing. */
  public static void redirectErrorsTo(Path file) throws IOException {
    redirect(file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, STDERR);
  }

  /** Lets go of standard output: what is printed from now on is lost. */
  public static void dropOutput() throws IOException {
    redirect(Path.of("/dev/null"), O_WRONLY | O_CLOEXEC, STDOUT);
  }

  /** Lets go of the working directory, so that its filesystem can be unmounted. */
  public static void leaveWorkingDirectory() throws IOException {
    checked(LibC.chdir("/"), "chdir to /");
  }

  private static void redirect(Path file, int flags, int stream) throws IOException {
    int fd = checked(LibC.open(file.toString(), flags, OWNER_ONLY), "open of " + file);
    checked(LibC.dup2(fd, stream), "dup2");
    LibC.close(fd);
  }

  private static int checked(int result, String act) throws IOException {
    if (result < 0) {
      int errno = LibC.errno();
      throw new IOException(act + " failed with error number " + errno);
    }
    return result;
  }
}
