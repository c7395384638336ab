package org.qcowfs.fuse;

import java.util.function.Supplier;

/** One session thread: receives a request, has it answered, and so on until the unmount. */
final class RequestLoop implements Runnable {
  /** What the current thread serves. */
  private static final ThreadLocal<RequestSource> CURRENT = new ThreadLocal<>();

  private final Supplier<RequestSource> sources;
  private final Serving serving;
  private final Runnable atEnd;
  private final LastWords lastWords = new LastWords();

  /**
   * @param sources makes what this thread serves, within the thread
   * @param atEnd done last of all
   */
  RequestLoop(Supplier<RequestSource> sources, Serving serving, Runnable atEnd) {
    this.sources = sources;
    this.serving = serving;
    this.atEnd = atEnd;
  }

  /** What has received the request that the current thread is serving. */
  static RequestSource current() {
    return CURRENT.get();
  }

  @Override
  public void run() {
    try (RequestSource requests = sources.get()) {
      CURRENT.set(requests);
      serve(requests);
    } catch (Throwable e) {
      Loggers.of(RequestLoop.class).error("a session thread failed", e);
    } finally {
      atEnd.run();
    }
  }

  private void tryToReport(Throwable e) {
    try {
      Loggers.of(RequestLoop.class).error("processing a request failed", e);
    } catch (Throwable inReporting) {
      lastWords.say();
    }
  }

  private void serve(RequestSource requests) {
    while (true) {
      int received = requests.receive();
      if (received < 0) {
        Loggers.of(RequestLoop.class)
            .error("receiving a request failed with error number {}", -received);
      }
      if (received <= 0) {
        return;
      }
      if (!serving.begin()) {
        return; // the process is about to end, and the kernel then answers for us
      }
      try {
        requests.process(received);
      } catch (Throwable e) {
        // The request has its answer. If this thread ended, libfuse would end the session, and each
        // of the others would drop the next request that it receives: its sender would wait for
        // good.
        tryToReport(e);
      } finally {
        serving.end();
      }
    }
  }
}
