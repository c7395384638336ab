package org.qcowfs.geometry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ClusterGeometryTest {
  @ParameterizedTest
  @CsvSource({
    "9, false, 64, 512, 32768",
    "16, false, 8192, 65536, 536870912",
    "21, false, 262144, 2097152, 549755813888",
    "14, true, 1024, 512, 16777216",
    "16, true, 4096, 2048, 268435456",
    "21, true, 131072, 65536, 274877906944",
  })
  void theRestFollowsFromClusterSizeAndEntryWidth(
      int clusterBits, boolean extendedL2, int l2Entries, int subclusterBytes, long perL1Entry) {
    ClusterGeometry geometry = new ClusterGeometry(clusterBits, extendedL2);

    assertThat(geometry.clusterBytes()).isEqualTo(1 << clusterBits);
    assertThat(geometry.l2EntryCount()).isEqualTo(l2Entries);
    assertThat(geometry.subclusterBytes()).isEqualTo(subclusterBytes);
    assertThat(1L << geometry.l1EntryBits()).isEqualTo(perL1Entry);
    assertThat(geometry.l1EntriesFor(0)).isZero();
    assertThat(geometry.l1EntriesFor(1)).isEqualTo(1);
    assertThat(geometry.l1EntriesFor(perL1Entry)).isEqualTo(1);
    assertThat(geometry.l1EntriesFor(perL1Entry + 1)).isEqualTo(2);
    assertThat(geometry.l1EntriesFor(Long.MAX_VALUE)).isEqualTo((1L << 63) / -perL1Entry);
  }

  @Test
  void aGuestOffsetIsSplitIntoItsIndices() {
    ClusterGeometry geometry = new ClusterGeometry(16, false);
    long guestOffset = 0x7_2345_6789L;

    assertThat(geometry.l1Index(guestOffset)).isEqualTo(0x39);
    assertThat(geometry.l2Index(guestOffset)).isEqualTo(0x345);
    assertThat(geometry.offsetInCluster(guestOffset)).isEqualTo(0x6789);
    assertThat(geometry.clusterStart(guestOffset)).isEqualTo(0x7_2345_0000L);
    assertThat(geometry.isClusterAligned(0x7_2345_0000L)).isTrue();
    assertThat(geometry.isClusterAligned(0x7_2345_0200L)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"8", "22", "-1"})
  void clusterBitsOutsideTheFormatAreTheCallersMistake(int clusterBits) {
    assertThatThrownBy(() -> new ClusterGeometry(clusterBits, false))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
