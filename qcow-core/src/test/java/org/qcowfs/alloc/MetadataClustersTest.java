package org.qcowfs.alloc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.qcowfs.alloc.MetadataClusters.Kind;
import org.qcowfs.geometry.ClusterGeometry;

final class MetadataClustersTest {
  private static final List<Kind> KINDS = List.of(Kind.values());
  private static final int BITS = 12;
  private static final ClusterGeometry GEOMETRY = new ClusterGeometry(BITS, false);

  private final MetadataClusters metadata = new MetadataClusters(GEOMETRY);
  private final TreeMap<Long, Kind> model = new TreeMap<>();
  private final SplittableRandom random = new SplittableRandom(7);

  private void add(Kind kind, long cluster, long count) {
    metadata.addLocked(kind, cluster << BITS, (count << BITS) - random.nextInt(1 << BITS));
    for (long i = 0; i < count; i++) {
      model.put(cluster + i, kind);
    }
  }

  private void remove(long cluster) {
    metadata.removeLocked(cluster);
    model.remove(cluster);
  }

  /** Near each other, and as far apart as host offsets can be. */
  private long anyCluster() {
    return random.nextLong(1L << random.nextInt(1, 57 - BITS));
  }

  @Test
  void everyRangeIsFoundToTouchWhatWasAddedAndNothingElse() {
    for (int i = 0; i < 3000; i++) {
      Kind kind = KINDS.get(random.nextInt(KINDS.size()));
      add(kind, anyCluster(), random.nextInt(1, 40));
      remove(anyCluster());
      Long known = model.ceilingKey(anyCluster());
      if (known != null && random.nextBoolean()) {
        remove(known);
      }
    }
    for (int i = 0; i < 100_000; i++) {
      long first = anyCluster();
      long start = (first << BITS) + random.nextInt(1 << BITS);
      long bytes = random.nextInt(1, 100 << BITS);
      Long found = model.ceilingKey(first);
      boolean touched = found != null && found << BITS < start + bytes;

      assertThat(metadata.kindOf(first)).isEqualTo(model.get(first));
      assertThat(metadata.firstIn(start, bytes)).isEqualTo(touched ? found : -1L);
    }
  }

  @Test
  void tablesThatAreGivenUpStayProtectedButThoseOfSnapshotsStayWhatTheyAre() {
    add(Kind.L2_TABLE, 5, 1);
    add(Kind.SNAPSHOT_L2_TABLE, 6, 1);

    metadata.giveUpLocked(5L << BITS, 3L << BITS);

    assertThat(metadata.kindOf(5)).isEqualTo(Kind.FORMER);
    assertThat(metadata.kindOf(6)).isEqualTo(Kind.SNAPSHOT_L2_TABLE);
    assertThat(metadata.kindOf(7)).isNull();
  }

  @Test
  void whatMemoryDoesNotSufficeForIsNotKnownAndNothingElseSuffers() {
    MetadataClusters small = new MetadataClusters(GEOMETRY, 1);
    for (long cluster = 0; cluster < 10_000; cluster++) {
      small.addLocked(Kind.L2_TABLE, cluster << 30, 1);
    }
    assertThat(small.kindOf(0)).isEqualTo(Kind.L2_TABLE);
    assertThat(small.kindOf(9999L << (30 - BITS))).isNull();

    small.removeLocked(0);
    small.addLocked(Kind.L1_TABLE, 0, 1);

    assertThat(small.kindOf(0)).isEqualTo(Kind.L1_TABLE);
  }

  /** Tables come and go; what is left of those that went takes no room for good. */
  @Test
  void roomIsForThoseThatAreThereAndNotForThoseThatWere() {
    MetadataClusters small = new MetadataClusters(GEOMETRY, 1);
    for (long cluster = 0; cluster < 10_000; cluster++) {
      small.addLocked(Kind.L2_TABLE, cluster << 30, 1);
      small.removeLocked(cluster << (30 - BITS));
    }

    small.addLocked(Kind.L1_TABLE, 1L << 50, 1);

    assertThat(small.kindOf(1L << (50 - BITS))).isEqualTo(Kind.L1_TABLE);
  }
}
