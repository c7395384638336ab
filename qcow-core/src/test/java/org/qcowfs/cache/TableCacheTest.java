package org.qcowfs.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.qcowfs.error.HostIoException;
import org.qcowfs.testkit.MemoryStorage;
import org.qcowfs.testkit.SparseBytes;

@Timeout(60)
final class TableCacheTest {
  private static final int SLICE = TableCache.SLICE_BYTES;
  private static final int WAYS = 8;

  /** Too little memory for two sets: every slice competes with every other. */
  private final TableCache oneSet = new TableCache(1);

  private final MemoryStorage storage = numbered(32);

  /** Each word of slice i is i. */
  private static MemoryStorage numbered(int slices) {
    SparseBytes bytes = new SparseBytes();
    for (int i = 0; i < slices; i++) {
      for (int word = 0; word < SLICE; word += Long.BYTES) {
        bytes.putLong((long) i * SLICE + word, i);
      }
    }
    return new MemoryStorage(bytes);
  }

  private TableSlice get(int slice) throws IOException {
    return oneSet.get(storage, 0, (long) slice * SLICE, SLICE);
  }

  @Test
  void wordsAreBigEndianInTheFile() throws IOException {
    storage.bytes().putLong(8, 0x0102_0304_0506_0708L);

    TableSlice slice = get(0);

    assertThat(slice.wordCount()).isEqualTo(512);
    assertThat(slice.word(1)).isEqualTo(0x0102_0304_0506_0708L);
  }

  @Test
  void aSliceIsReadOnceAsLongAsItIsKept() throws IOException {
    TableSlice first = get(3);

    for (int i = 0; i < 100; i++) {
      assertThat(get(3)).isSameAs(first);
    }
    assertThat(storage.reads()).isEqualTo(1);
  }

  private TableSlice look(int slice, int word) throws IOException {
    return oneSet.look(storage, 0, (long) slice * SLICE, SLICE, word);
  }

  @Test
  void aLookAtAFullCacheLeavesItAsItIs() throws IOException {
    for (int slice = 0; slice < WAYS; slice++) {
      look(slice, 0);
    }
    storage.bytes().putLong(20L * SLICE + 66 * Long.BYTES, 77);

    TableSlice passing = look(20, 65);

    assertThat(passing.word(65)).isEqualTo(20);
    assertThat(passing.word(66)).isEqualTo(77);
    assertThat(passing.wordCount()).isEqualTo(128);
    assertThat(look(21, 511).wordCount()).isEqualTo(512);
    for (int slice = 0; slice < WAYS; slice++) {
      assertThat(look(slice, 0).word(0)).isEqualTo(slice);
    }
    assertThat(storage.reads()).isEqualTo(WAYS + 2);
  }

  @Test
  void theSecondLookInARowKeepsTheSlice() throws IOException {
    for (int slice = 0; slice < WAYS; slice++) {
      look(slice, 0);
    }
    look(20, 0);
    TableSlice kept = look(20, 65);

    assertThat(kept.wordCount()).isEqualTo(512);
    assertThat(look(20, 300)).isSameAs(kept);
    assertThat(storage.reads()).isEqualTo(WAYS + 2);
  }

  @Test
  void aLookSeesWhatIsModified() throws IOException {
    TableSlice modified = oneSet.getForUpdateLocked(storage, 0, 20L * SLICE, SLICE);
    modified.set(3, 99, 0);
    for (int slice = 0; slice < 2 * WAYS; slice++) {
      get(slice);
    }

    assertThat(look(20, 3).word(3)).isEqualTo(99);
  }

  @Test
  void aLookAtASmallSliceEndsWithIt() throws IOException {
    for (int slice = 0; slice < WAYS; slice++) {
      look(slice, 0);
    }
    assertThat(oneSet.look(storage, 0, 20L * SLICE, 512, 63).wordCount()).isEqualTo(64);
  }

  @Test
  void asManySlicesAreKeptAsTheSetHasWays() throws IOException {
    for (int round = 0; round < 3; round++) {
      for (int slice = 0; slice < WAYS; slice++) {
        assertThat(get(slice).word(0)).isEqualTo(slice);
      }
    }

    assertThat(storage.reads()).isEqualTo(WAYS);
  }

  @Test
  void theSliceUsedLongestAgoMakesRoom() throws IOException {
    for (int slice = 0; slice < WAYS; slice++) {
      get(slice);
    }
    get(0);
    get(WAYS); // in the place of slice 1
    int reads = storage.reads();

    get(0);
    get(WAYS);
    for (int slice = 2; slice < WAYS; slice++) {
      get(slice);
    }
    assertThat(storage.reads()).as("all of these were still there").isEqualTo(reads);
    get(1);
    assertThat(storage.reads()).as("this one was not").isEqualTo(reads + 1);
  }

  @Test
  void everySliceIsRightHoweverOftenItIsDropped() throws IOException {
    for (int i = 0; i < 1000; i++) {
      int slice = i * 7 % 32;
      assertThat(get(slice).word(511)).isEqualTo(slice);
    }
  }

  @Test
  void theSameOffsetOfTwoFilesIsTwoSlices() throws IOException {
    MemoryStorage other = numbered(2);
    other.bytes().putLong(0, 99);

    assertThat(get(0).word(0)).isZero();
    assertThat(oneSet.get(other, 1, 0, SLICE).word(0)).isEqualTo(99);
    assertThat(get(0).word(0)).isZero();
  }

  @Test
  void shortSlicesOfSmallClustersAreKeptToo() throws IOException {
    TableSlice slice = oneSet.get(storage, 0, SLICE + 512, 512);

    assertThat(slice.wordCount()).isEqualTo(64);
    assertThat(slice.word(63)).isEqualTo(1);
  }

  @Test
  void aFailedLoadLeavesNothingBehindAndIsTriedAgain() throws IOException {
    storage.failRead(1, 5);

    assertThatThrownBy(() -> get(4)).isInstanceOf(HostIoException.class);

    assertThat(get(4).word(0)).isEqualTo(4);
    assertThat(storage.reads()).isEqualTo(2);
  }

  @Test
  void aSlicePastTheEndOfTheFileIsNotKept() throws IOException {
    storage.bytes().resize(SLICE + 100);

    assertThatThrownBy(() -> get(1)).isInstanceOf(EOFException.class);
    storage.bytes().resize(2L * SLICE);
    assertThat(get(1).wordCount()).isEqualTo(512);
  }

  @Test
  void threadsThatMissTheSameSliceLoadItOnceAndShareIt() throws Exception {
    int threads = 8;
    CountDownLatch loading = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    storage.beforeEachRead(
        offset -> {
          loading.countDown();
          await(go);
        });
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<TableSlice>> slices = new ArrayList<>();
      slices.add(pool.submit(() -> get(5)));
      await(loading);
      AtomicInteger started = new AtomicInteger();
      for (int i = 1; i < threads; i++) {
        slices.add(
            pool.submit(
                () -> {
                  started.incrementAndGet();
                  return get(5);
                }));
      }
      while (started.get() < threads - 1) {
        Thread.onSpinWait();
      }
      go.countDown();
      TableSlice loaded = slices.get(0).get();
      for (Future<TableSlice> slice : slices) {
        assertThat(slice.get()).isSameAs(loaded);
      }
      assertThat(storage.reads()).isEqualTo(1);
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void aHitDoesNotWaitForALoadInTheSameSet() throws Exception {
    get(0);
    CountDownLatch loading = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    storage.beforeEachRead(
        offset -> {
          loading.countDown();
          await(go);
        });
    ExecutorService pool = Executors.newSingleThreadExecutor();
    try {
      Future<TableSlice> load = pool.submit(() -> get(1));
      await(loading);

      assertThat(get(0).word(0)).isZero();

      assertThat(load.isDone()).isFalse();
      go.countDown();
      assertThat(load.get().word(0)).isEqualTo(1);
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void aCacheTakesNoMoreThanAnEighthOfTheHeapWhateverItIsToldTo() throws IOException {
    TableCache cache = new TableCache(Long.MAX_VALUE, 8L * 2 * WAYS * SLICE);

    for (int slice = 0; slice < 2 * WAYS; slice++) {
      var unused = cache.getForUpdateLocked(storage, 0, (long) slice * SLICE, SLICE);
    }
    assertThat(cache.isUnderPressure()).isFalse();

    var unused = cache.getForUpdateLocked(storage, 0, 2L * WAYS * SLICE, SLICE);
    assertThat(cache.isUnderPressure()).isTrue();
  }

  @Test
  void threadsThatFightForOneSetSeeNothingButWhatTheFileHolds() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      List<Future<Integer>> mistakes = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        int step = 2 * thread + 1;
        mistakes.add(pool.submit(() -> countMistakes(step)));
      }
      for (Future<Integer> count : mistakes) {
        assertThat(count.get()).isZero();
      }
    } finally {
      pool.shutdownNow();
    }
  }

  private int countMistakes(int step) throws IOException {
    int mistakes = 0;
    for (int i = 0; i < 5000; i++) {
      int slice = i * step % 32;
      if (get(slice).word(i % 512) != slice) {
        mistakes++;
      }
    }
    return mistakes;
  }

  private static void await(CountDownLatch latch) {
    try {
      if (!latch.await(30, TimeUnit.SECONDS)) {
        throw new IllegalStateException("nobody came");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
