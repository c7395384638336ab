package org.qcowfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

final class ServingTest {
  private final Serving serving = new Serving();

  @Test
  void noRequestBeginsAfterTheStop() throws InterruptedException {
    assertThat(serving.begin()).isTrue();
    serving.end();
    serving.stop();
    assertThat(serving.begin()).isFalse();
  }

  @Test
  void theStopWaitsForRequestsInHand() throws InterruptedException {
    assertThat(serving.begin()).isTrue();
    CountDownLatch stopped = new CountDownLatch(1);
    Thread stopping =
        new Thread(
            () -> {
              try {
                serving.stop();
                stopped.countDown();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    stopping.start();
    while (stopping.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    assertThat(stopped.getCount()).isEqualTo(1);
    serving.end();
    stopped.await();
  }
}
