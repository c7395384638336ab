package org.qcowfs.testkit.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.qcowfs.testkit.crash.Schedule.Task;

class ScheduleTest {
  private final ReentrantLock lock = new ReentrantLock();
  private final Object monitor = new Object();
  private boolean opened;

  /** Three threads that pause, take a lock over pauses, and wait for a notification. */
  private List<String> order(long seed) throws Exception {
    List<String> order = Collections.synchronizedList(new ArrayList<>());
    opened = false;
    List<Task> tasks = new ArrayList<>();
    for (String name : List.of("a", "b", "c")) {
      tasks.add(
          () -> {
            for (int i = 0; i < 20; i++) {
              Schedule.pause();
              lock.lock();
              try {
                Schedule.pause();
                order.add(name + i);
              } finally {
                lock.unlock();
              }
            }
            awaitOpened(name);
          });
    }
    new Schedule(new SplittableRandom(seed)).run(tasks);
    return order;
  }

  private void awaitOpened(String name) throws InterruptedException {
    synchronized (monitor) {
      if (name.equals("b")) {
        opened = true;
        monitor.notifyAll();
      }
      while (!opened) {
        monitor.wait();
      }
    }
    Schedule.pause();
  }

  @Test
  void aSeedGivesTheSameOrderAgain() throws Exception {
    for (long seed = 0; seed < 50; seed++) {
      assertThat(order(seed)).hasSize(60).isEqualTo(order(seed));
    }
  }

  @Test
  void differentSeedsGiveDifferentOrders() throws Exception {
    assertThat(order(1)).isNotEqualTo(order(2));
  }

  @Test
  void threadsThatWaitForEachOtherAreFoundOut() {
    ReentrantLock first = new ReentrantLock();
    ReentrantLock second = new ReentrantLock();
    Schedule schedule = new Schedule(new SplittableRandom(3));

    assertThatThrownBy(() -> schedule.run(List.of(takes(first, second), takes(second, first))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("wait for each other");
  }

  /** Never gives the first lock back before it has the second. */
  private static Task takes(ReentrantLock first, ReentrantLock second) {
    return () -> {
      while (true) {
        first.lock();
        try {
          Schedule.pause();
          second.lock();
          try {
            Schedule.pause();
          } finally {
            second.unlock();
          }
        } finally {
          first.unlock();
        }
        Schedule.pause();
      }
    };
  }

  @Test
  void whatATaskThrowsIsThrown() {
    Schedule schedule = new Schedule(new SplittableRandom(4));

    assertThatThrownBy(
            () ->
                schedule.run(
                    List.of(
                        () -> {
                          throw new IllegalArgumentException("as told");
                        })))
        .hasMessage("as told");
  }
}
