package org.qcowfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

final class ServingTest {
  private final Serving serving = new Serving();

  @Test
  void noRequestBeginsAfterTheStop() {
    assertThat(serving.begin()).isTrue();
    serving.end();
    serving.stop();
    assertThat(serving.begin()).isFalse();
  }

  private static CountDownLatch waiting(Runnable wait) {
    CountDownLatch over = new CountDownLatch(1);
    Thread thread =
        new Thread(
            () -> {
              wait.run();
              over.countDown();
            });
    thread.start();
    while (thread.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    assertThat(over.getCount()).isEqualTo(1);
    return over;
  }

  @Test
  void theStopWaitsForRequestsInHand() throws InterruptedException {
    assertThat(serving.begin()).isTrue();
    CountDownLatch stopped = waiting(serving::stop);
    serving.end();
    stopped.await();
  }

  @Test
  void whoWaitsForThoseInHandDoesNotWaitForThoseThatBeginLater() throws InterruptedException {
    assertThat(serving.begin()).isTrue();
    CountDownLatch answered = waiting(serving::awaitThoseInHand);
    serving.end();
    assertThat(serving.begin()).isTrue();
    answered.await();
    serving.end();
  }

  @Test
  void norForThoseThatWaitForOthersThemselves() throws InterruptedException {
    assertThat(serving.begin()).isTrue();
    CountDownLatch answered = waiting(serving::awaitThoseInHand);
    serving.suspend();
    answered.await();
    serving.resume();
    serving.end();
  }
}
