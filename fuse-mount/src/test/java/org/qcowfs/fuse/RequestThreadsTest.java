package org.qcowfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class RequestThreadsTest {
  private static final Runnable END = new CountDownLatch(0)::countDown;

  private final Serving serving = new Serving();
  private final BlockingQueue<Runnable> requests = new LinkedBlockingQueue<>();
  private final RequestThreads threads = new RequestThreads(serving, this::loop);

  /** Serves what is in the queue, as a session thread does with requests. */
  private Runnable loop(Runnable atEnd) {
    return () -> {
      try {
        for (Runnable next = requests.take(); next != END; next = requests.take()) {
          next.run();
        }
        requests.add(END);
        atEnd.run();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    };
  }

  @AfterEach
  void end() throws InterruptedException {
    requests.add(END);
    threads.awaitEnd();
    assertThat(threads.hasEnded()).isTrue();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void waitForTheKernel(RequestThreads.Step step, CountDownLatch done) {
    assertThat(serving.begin()).isTrue();
    try {
      threads.whileOthersServe(step);
      done.countDown();
    } catch (IOException e) {
      throw new AssertionError(e);
    } finally {
      serving.end();
    }
  }

  @Test
  void aRequestThatWaitsForAnotherOneIsServedHoweverManyWait() {
    threads.start(2);
    CountDownLatch answered = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(5);
    for (int i = 0; i < 5; i++) {
      requests.add(() -> waitForTheKernel(() -> await(answered), done));
    }
    requests.add(answered::countDown);
    await(done);
    assertThat(done.getCount()).isZero();
  }

  @Test
  void theEndDoesNotWaitForWhoWaitsForTheKernel() throws InterruptedException {
    threads.start(1);
    CountDownLatch waiting = new CountDownLatch(1);
    CountDownLatch kernel = new CountDownLatch(1);
    CountDownLatch refused = new CountDownLatch(1);
    requests.add(
        () -> {
          assertThat(serving.begin()).isTrue();
          assertThatIOException()
              .isThrownBy(
                  () ->
                      threads.whileOthersServe(
                          () -> {
                            waiting.countDown();
                            await(kernel);
                          }));
          serving.end();
          refused.countDown();
        });
    await(waiting);
    serving.stop();
    kernel.countDown();
    await(refused);
    assertThat(threads.awaitEnd(0, TimeUnit.SECONDS)).isFalse();
  }
}
