package org.qcowfs.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.qcowfs.error.HostIoException;

final class DurabilityClockTest {
  private static final int EIO = 5;

  private final AtomicInteger flushes = new AtomicInteger();
  private final DurabilityClock clock = new DurabilityClock(flushes::incrementAndGet);

  @Test
  void aWriteIsDurableOnceTheNextFlushHasReturned() throws IOException {
    long ticket = clock.ticket();
    assertThat(clock.isSettled(ticket)).isFalse();

    clock.settle(ticket);

    assertThat(clock.isSettled(ticket)).isTrue();
    assertThat(clock.isSettled(clock.ticket())).isFalse();
  }

  @Test
  void oneFlushServesEveryTicketTakenBeforeIt() throws IOException {
    long first = clock.ticket();
    long second = clock.ticket();

    clock.settle(second);
    clock.settle(first);

    assertThat(flushes).hasValue(1);
  }

  @Test
  void whatIsWrittenDuringAFlushWaitsForTheNext() throws IOException {
    AtomicLong taken = new AtomicLong();
    DurabilityClock[] own = new DurabilityClock[1];
    own[0] = new DurabilityClock(() -> taken.compareAndSet(0, own[0].ticket()));

    own[0].flushToDisk();

    assertThat(own[0].isSettled(taken.get())).isFalse();
    own[0].flushToDisk();
    assertThat(own[0].isSettled(taken.get())).isTrue();
  }

  @Test
  void aFailedFlushSettlesNothing() {
    DurabilityClock failing =
        new DurabilityClock(
            () -> {
              throw new IOException("as told");
            });
    long ticket = failing.ticket();

    assertThatThrownBy(() -> failing.settle(ticket)).hasMessage("as told");

    assertThat(failing.isSettled(ticket)).isFalse();
    assertThatThrownBy(() -> failing.settle(ticket)).hasMessage("as told");
  }

  @Test
  void afterAFlushThatTheHostFailedNothingIsFlushedAnyMore() throws IOException {
    DurabilityClock failing =
        new DurabilityClock(
            () -> {
              if (flushes.incrementAndGet() == 1) {
                throw new HostIoException(EIO, "disk.qcow2: flush to disk failed");
              }
            });
    failing.checkSound();

    assertThatThrownBy(failing::flushToDisk).isInstanceOf(HostIoException.class);

    for (ThrowingCallable later :
        List.<ThrowingCallable>of(failing::flushToDisk, failing::checkSound)) {
      assertThatThrownBy(later)
          .hasMessageStartingWith("disk.qcow2: flush to disk failed; no longer written to")
          .isInstanceOfSatisfying(HostIoException.class, e -> assertThat(e.errno()).isEqualTo(EIO));
    }
    assertThat(flushes).hasValue(1);
  }

  @Test
  void aClockThatWasStoppedFlushesNothingAndSaysWhy() {
    clock.stop(new HostIoException(EIO, "disk.qcow2: was cut"));
    clock.stop(new HostIoException(EIO, "another reason, too late"));

    for (ThrowingCallable later :
        List.<ThrowingCallable>of(clock::flushToDisk, clock::checkSound)) {
      assertThatThrownBy(later)
          .hasMessageStartingWith("disk.qcow2: was cut; no longer written to")
          .isInstanceOf(HostIoException.class);
    }
    assertThat(flushes).hasValue(0);
  }

  @Test
  void withoutMemoryForAFlushTheNextOneIsMade() throws IOException {
    DurabilityClock starved =
        new DurabilityClock(
            () -> {
              if (flushes.incrementAndGet() == 1) {
                throw new OutOfMemoryError("as told");
              }
            });
    long ticket = starved.ticket();

    assertThatThrownBy(() -> starved.settle(ticket)).isInstanceOf(OutOfMemoryError.class);

    assertThat(starved.isSettled(ticket)).isFalse();
    starved.settle(ticket);
    assertThat(starved.isSettled(ticket)).isTrue();
  }

  @Test
  void withoutBarriersNothingWaitsButAFlushStillFlushes() throws IOException {
    clock.setBarriers(false);

    clock.settle(clock.ticket());
    assertThat(flushes).hasValue(0);
    clock.flushToDisk();
    assertThat(flushes).hasValue(1);
  }

  @Test
  void thoseThatWaitAtTheSameTimeShareAFlush() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    DurabilityClock shared =
        new DurabilityClock(
            () -> {
              if (flushes.incrementAndGet() == 1) {
                begun.countDown();
                awaitQuietly(mayEnd);
              }
            });
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      Future<?> first = threads.submit(() -> settle(shared, shared.ticket()));
      begun.await();
      long later = shared.ticket();
      Future<?> second = threads.submit(() -> settle(shared, later));
      Future<?> third = threads.submit(() -> settle(shared, later));
      mayEnd.countDown();
      first.get();
      second.get();
      third.get();
    } finally {
      threads.shutdown();
    }
    assertThat(flushes).hasValue(2);
  }

  private static Void settle(DurabilityClock clock, long ticket) throws IOException {
    clock.settle(ticket);
    return null;
  }

  private static void awaitQuietly(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
