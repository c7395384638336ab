package org.qcowfs.session;

import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Ends the session when the process is told to end: SIGTERM, SIGINT and SIGHUP make the JVM run its
 * shutdown hooks, of which this is one. A mount that is just being made is waited for and then
 * undone, so none is left behind dead.
 */
final class SignalEnd {
  private final ReentrantLock mounting = new ReentrantLock();
  private boolean ending;
  private @Nullable MountSession session;

  private final Consumer<Boolean> halt;

  private SignalEnd(Consumer<Boolean> halt) {
    this.halt = halt;
  }

  /** The step between the signals. */
  @FunctionalInterface
  interface Mounting {
    MountSession run() throws IOException;
  }

  /**
   * Begins to listen.
   *
   * @param halt ends the process at once; told whether everything that was written is safe
   */
  static SignalEnd install(Consumer<Boolean> halt) {
    SignalEnd end = new SignalEnd(halt);
    Runtime.getRuntime().addShutdownHook(new Thread(end::run, "signal"));
    return end;
  }

  /** Mounts, unless a signal has come before. */
  MountSession mount(Mounting step) throws IOException {
    mounting.lock();
    try {
      if (ending) {
        throw new IOException("ended by a signal before anything was mounted");
      }
      MountSession mounted = step.run();
      session = mounted;
      return mounted;
    } finally {
      mounting.unlock();
    }
  }

  private void run() {
    MountSession mounted = beginEnding();
    if (mounted != null && !mounted.hasEnded()) {
      // the JVM would end with 128 plus the signal's number, which says "failed" to whoever waits
      halt.accept(mounted.end());
    }
  }

  private @Nullable MountSession beginEnding() {
    mounting.lock();
    try {
      ending = true;
      return session;
    } finally {
      mounting.unlock();
    }
  }
}
