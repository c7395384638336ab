package org.qcowfs.alloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
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

  @RepeatedTest(50)
  void rangesAreCountedAsTheirClustersOneByOne(RepetitionInfo repetition) throws Exception {
    ClusterCounts others = new ClusterCounts();
    Map<Long, Long> model = new HashMap<>();
    Map<Long, Long> othersModel = new HashMap<>();
    Random random = new Random(repetition.getCurrentRepetition());
    for (int round = 0; round < 60; round++) {
      boolean mine = random.nextInt(8) != 0;
      long first = random.nextInt(3) * 400L + random.nextInt(3) * 512L + random.nextInt(5);
      int clusters = 1 + random.nextInt(random.nextBoolean() ? 6 : 1200);
      long times = random.nextInt(20) == 0 ? 250 : random.nextInt(3);
      (mine ? counts : others).addToEach(first, clusters, times);
      for (long cluster = first; cluster < first + clusters; cluster++) {
        (mine ? model : othersModel).merge(cluster, times, Long::sum);
      }
      long from = random.nextInt(3000);
      long behind = from + 1 + random.nextInt(700);
      long count = model.getOrDefault(from, 0L);
      boolean each = true;
      for (long cluster = from; cluster < behind; cluster++) {
        assertThat(counts.get(cluster)).isEqualTo(model.getOrDefault(cluster, 0L));
        each &= model.getOrDefault(cluster, 0L) == count;
      }
      assertThat(counts.isEach(from, behind - from, count)).isEqualTo(each);
      assertThat(counts.isEach(from, behind - from, count + 1)).isFalse();
      assertThat(counts.mismatch(others, from)).isEqualTo(mismatch(model, othersModel, from));
      assertThat(counts.mismatch(counts, from)).isEqualTo(-1);
      assertThat(counts.last(from)).isEqualTo(last(model, from));
    }
  }

  private static long mismatch(Map<Long, Long> some, Map<Long, Long> others, long from) {
    for (long cluster = from; cluster < 4000; cluster++) {
      if (!some.getOrDefault(cluster, 0L).equals(others.getOrDefault(cluster, 0L))) {
        return cluster;
      }
    }
    return -1;
  }

  private static long last(Map<Long, Long> model, long end) {
    long cluster = end - 1;
    while (cluster >= 0 && model.getOrDefault(cluster, 0L) == 0) {
      cluster--;
    }
    return cluster;
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
