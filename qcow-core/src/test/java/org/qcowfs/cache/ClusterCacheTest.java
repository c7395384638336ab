package org.qcowfs.cache;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ClusterCacheTest {
  @Test
  void whatWasPutIsFoundUnderItsKeyOnly() {
    ClusterCache cache = new ClusterCache(100);
    byte[] cluster = new byte[10];

    cache.put(1, cluster);

    assertThat(cache.get(1)).isSameAs(cluster);
    assertThat(cache.get(2)).isNull();
  }

  @Test
  void theClusterUsedLongestAgoIsDroppedFirst() {
    ClusterCache cache = new ClusterCache(30);
    cache.put(1, new byte[10]);
    cache.put(2, new byte[10]);
    cache.put(3, new byte[10]);

    assertThat(cache.get(1)).isNotNull();
    cache.put(4, new byte[10]);

    assertThat(cache.get(2)).isNull();
    assertThat(cache.get(1)).isNotNull();
    assertThat(cache.get(3)).isNotNull();
    assertThat(cache.get(4)).isNotNull();
  }

  @Test
  void asManyAreDroppedAsTheNewOneNeeds() {
    ClusterCache cache = new ClusterCache(30);
    for (int key = 0; key < 3; key++) {
      cache.put(key, new byte[10]);
    }

    cache.put(9, new byte[25]);

    assertThat(cache.get(0)).isNull();
    assertThat(cache.get(1)).isNull();
    assertThat(cache.get(2)).isNull();
    assertThat(cache.get(9)).isNotNull();
  }

  @Test
  void noMoreThanAnEighthOfTheHeapIsKept() {
    ClusterCache cache = new ClusterCache(1000, 8 * 30);
    for (int key = 0; key < 4; key++) {
      cache.put(key, new byte[10]);
    }

    assertThat(cache.get(0)).isNull();
    assertThat(cache.get(1)).isNotNull();
  }

  @Test
  void theLastClusterIsKeptEvenIfItIsTooLarge() {
    ClusterCache cache = new ClusterCache(30);
    cache.put(1, new byte[10]);

    cache.put(2, new byte[31]);

    assertThat(cache.get(1)).isNull();
    assertThat(cache.get(2)).isNotNull();
  }

  @Test
  void puttingAKeyAgainCountsItOnce() {
    ClusterCache cache = new ClusterCache(30);
    for (int i = 0; i < 10; i++) {
      cache.put(1, new byte[10]);
    }

    cache.put(2, new byte[10]);
    cache.put(3, new byte[10]);

    assertThat(cache.get(1)).isNotNull();
    assertThat(cache.get(2)).isNotNull();
  }
}
