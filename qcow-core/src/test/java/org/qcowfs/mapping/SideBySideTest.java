package org.qcowfs.mapping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

final class SideBySideTest {
  @Test
  void everyPieceRunsOnceBeforeTheCallReturns() throws IOException {
    for (int count = 1; count < 200; count++) {
      AtomicIntegerArray runs = new AtomicIntegerArray(count);

      SideBySide.run(count, runs::incrementAndGet);

      for (int i = 0; i < count; i++) {
        assertThat(runs.get(i)).isEqualTo(1);
      }
    }
  }

  @Test
  void aPieceThatFailsStopsNoOther() {
    AtomicIntegerArray runs = new AtomicIntegerArray(50);

    assertThatThrownBy(
            () ->
                SideBySide.run(
                    50,
                    index -> {
                      runs.incrementAndGet(index);
                      if (index == 20) {
                        throw new IOException("the twentieth");
                      }
                    }))
        .isInstanceOf(IOException.class)
        .hasMessage("the twentieth");
    for (int i = 0; i < 50; i++) {
      assertThat(runs.get(i)).isEqualTo(1);
    }
  }

  @Test
  void anErrorOfAPieceIsTheCallersToo() {
    assertThatThrownBy(
            () ->
                SideBySide.run(
                    3,
                    index -> {
                      throw new OutOfMemoryError("none left");
                    }))
        .isInstanceOf(OutOfMemoryError.class);
  }
}
