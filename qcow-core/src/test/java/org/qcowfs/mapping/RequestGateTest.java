package org.qcowfs.mapping;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class RequestGateTest {
  private final RequestGate gate = new RequestGate();

  private Waiting<Boolean> await() {
    return Waiting.start(
        () -> {
          gate.awaitThoseInside();
          return true;
        });
  }

  @Test
  void nobodyWaitsForAnEmptyGate() throws Exception {
    int slot = gate.enter();
    gate.leave(slot);

    gate.awaitThoseInside();
    gate.awaitThoseInside();
  }

  @Test
  void whoWaitsGoesOnWhenTheLastOneInsideHasLeft() throws Exception {
    int first = gate.enter();
    int second = gate.enter();
    Waiting<Boolean> waiting = await();

    gate.leave(first);
    assertThat(waiting.isWaiting()).isTrue();
    gate.leave(second);

    assertThat(waiting.result()).isTrue();
  }

  @Test
  void nobodyWaitsForThoseWhoCameLater() throws Exception {
    int before = gate.enter();
    Waiting<Boolean> waiting = await();
    int later = gate.enter();

    gate.leave(before);

    assertThat(waiting.result()).isTrue();
    gate.leave(later);
  }

  @Test
  void aSecondOneThatWaitsDoesNotOvertakeTheRequestsInside() throws Exception {
    int inside = gate.enter();
    Waiting<Boolean> first = await();
    Waiting<Boolean> second = await();

    assertThat(first.isWaiting()).isTrue();
    assertThat(second.isWaiting()).isTrue();
    gate.leave(inside);

    assertThat(first.result()).isTrue();
    assertThat(second.result()).isTrue();
  }

  @Test
  void whatWasSeenInsideIsNotTakenAwayBeforeItIsUsed() throws Exception {
    AtomicLong current = new AtomicLong();
    AtomicLong[] gone = new AtomicLong[2000];
    for (int i = 0; i < gone.length; i++) {
      gone[i] = new AtomicLong();
    }
    ExecutorService threads = Executors.newFixedThreadPool(3);
    List<Future<Boolean>> readers = new ArrayList<>();
    for (int reader = 0; reader < 3; reader++) {
      readers.add(
          threads.submit(
              () -> {
                boolean right = true;
                while (current.get() < gone.length - 1) {
                  int slot = gate.enter();
                  int seen = (int) current.get();
                  right &= gone[seen].get() == 0;
                  gate.leave(slot);
                }
                return right;
              }));
    }
    for (int i = 0; i < gone.length - 1; i++) {
      current.incrementAndGet();
      gate.awaitThoseInside();
      gone[i].set(1);
    }
    for (Future<Boolean> reader : readers) {
      assertThat(reader.get()).isTrue();
    }
    threads.shutdown();
  }
}
