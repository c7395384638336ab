package org.qcowfs.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.testkit.storage.MemoryStorage;

final class TableScanTest {
  private static final long TABLE = 0x1_0000;

  @ParameterizedTest
  @ValueSource(longs = {0x2_0000, 0x8000_0000L, 0xf000_0000L, 1L << 40})
  void whatLiesBehindATableThatEndsInAHoleIsNotVisited(long next) throws IOException {
    MemoryStorage file = new MemoryStorage();
    file.write(ByteBuffer.allocate(Long.BYTES).putLong(7).flip(), TABLE + 16);
    file.write(ByteBuffer.allocate(Long.BYTES).putLong(9).flip(), TABLE + next);

    List<Long> visited = new ArrayList<>();
    new TableScan(file).visit(TABLE, 10_000, (index, word) -> visited.addAll(List.of(index, word)));

    assertThat(visited).containsExactly(2L, 7L);
  }

  @Test
  void tablesThatLieOnOneAnotherAreNotWalkedWithoutEnd() throws IOException {
    MemoryStorage file = MemoryStorage.of(new byte[1 << 20]);
    TableScan scan = new TableScan(file);
    for (int i = 0; i < 16; i++) {
      scan.visit(0, (1 << 20) / Long.BYTES, (index, word) -> {});
    }

    assertThatThrownBy(
            () -> {
              for (int i = 0; i < 2; i++) {
                scan.visit(0, (1 << 20) / Long.BYTES, (index, word) -> {});
              }
            })
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessage("so many of its tables lie on one another that they cannot be walked");
  }
}
