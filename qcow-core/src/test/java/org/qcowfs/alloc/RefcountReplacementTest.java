package org.qcowfs.alloc;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.testkit.storage.MemoryStorage;

final class RefcountReplacementTest {
  @Test
  void aFileTooLongForAnyTableIsRefusedBeforeMemoryIsTakenForIt() throws IOException {
    ClusterCounts counts = new ClusterCounts();
    counts.add(0, 1);
    for (long first = 1L << 28; first < 1L << 47; first <<= 1) {
      long behindAll = first;
      assertThatThrownBy(
              () ->
                  new RefcountReplacement(
                      new MemoryStorage(), new ClusterGeometry(9, false), 4, counts, behindAll))
          .as("%d clusters", first)
          .isInstanceOf(UnsupportedFeatureException.class)
          .hasMessage("its refcount table would exceed 8 MiB");
    }
  }
}
