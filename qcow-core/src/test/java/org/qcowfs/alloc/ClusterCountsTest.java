package org.qcowfs.alloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.qcowfs.error.UnsupportedFeatureException;

final class ClusterCountsTest {
  private final ClusterCounts counts = new ClusterCounts();

  @Test
  void everyClusterIsCountedByItselfHoweverOften() throws Exception {
    counts.add(5, 1);
    counts.add(5, 253);
    counts.add(6, 255);
    counts.add(7, 1_000_000);
    counts.add(5, 2);
    counts.add(8, 0);

    assertThat(counts.get(4)).isZero();
    assertThat(counts.get(5)).isEqualTo(256);
    assertThat(counts.get(6)).isEqualTo(255);
    assertThat(counts.get(7)).isEqualTo(1_000_000);
    assertThat(counts.get(8)).isZero();
  }

  @Test
  void clustersThatAreCountedAreFoundInOrder() throws Exception {
    assertThat(counts.next(0)).isEqualTo(-1);
    assertThat(counts.end()).isZero();
    counts.add(1L << 40, 1);
    counts.add(511, 1);
    counts.add(512, 1);

    assertThat(counts.next(0)).isEqualTo(511);
    assertThat(counts.next(511)).isEqualTo(511);
    assertThat(counts.next(512)).isEqualTo(512);
    assertThat(counts.next(513)).isEqualTo(1L << 40);
    assertThat(counts.next((1L << 40) + 1)).isEqualTo(-1);
    assertThat(counts.end()).isEqualTo((1L << 40) + 1);
  }

  @Test
  void clustersThatAreScatteredTooWidelyAreRefused() throws Exception {
    ClusterCounts small = new ClusterCounts(10_000);

    assertThatThrownBy(
            () -> {
              for (long cluster = 0; ; cluster += 1 << 20) {
                small.add(cluster, 1);
              }
            })
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("too many");
    small.add(0, 5);
    assertThat(small.get(0)).isEqualTo(6);
  }
}
