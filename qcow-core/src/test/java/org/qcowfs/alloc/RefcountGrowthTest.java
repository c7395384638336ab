package org.qcowfs.alloc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.NavigableSet;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.format.Header;
import org.qcowfs.format.RefcountEntries;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.storage.MemoryStorage;
import org.qcowfs.testkit.storage.PowerLossException;
import org.qcowfs.testkit.storage.PowerLossStorage;
import org.qcowfs.testkit.storage.SurvivorChoices;

final class RefcountGrowthTest {
  /** With 64-bit refcounts, a block counts 64 clusters, and a cluster of the table 64 blocks. */
  private static final int CLUSTER_BITS = 9;

  private static MemoryStorage image(int clusterBits, int refcountOrder) {
    return RefcountsTest.storage(
        new ImageBuilder(3, clusterBits).refcountOrder(refcountOrder).build());
  }

  /** A file as it grows, with what is needed for it. */
  private static final class Growing {
    final BlockStorage storage;
    final Header header;
    final Refcounts refcounts;
    final HeaderSector sector;
    final DurabilityClock clock;

    Growing(BlockStorage storage) throws IOException {
      this.storage = storage;
      this.header = RefcountsTest.header(storage);
      this.refcounts = new Refcounts(storage, header, 1 << 16);
      this.sector = new HeaderSector(storage, 3);
      this.clock = new DurabilityClock(storage::flushToDisk);
    }

    RefcountGrowth by(long clusters, NavigableSet<Long> uncovered) throws IOException {
      long fileEnd = storage.size() >>> header.clusterBits();
      RefcountGrowth growth =
          new RefcountGrowth(header.geometry(), refcounts, uncovered, fileEnd, clusters);
      growth.secureSpace(storage);
      storage.resize(growth.endCluster() << header.clusterBits());
      if (growth.addsBlocks()) {
        growth.writeLocked(storage, sector, clock, new ClusterCounts());
      }
      return growth;
    }

    RefcountGrowth by(long clusters) throws IOException {
      return by(clusters, Collections.emptyNavigableSet());
    }
  }

  @Test
  void asLongAsTheLastBlockHasRoomNothingIsAdded() throws IOException {
    Growing growing = new Growing(image(16, 4));

    RefcountGrowth growth = growing.by(100);

    assertThat(growth.addsBlocks()).isFalse();
    assertThat(growth.endCluster() - growth.firstDataCluster()).isEqualTo(100);
  }

  @ParameterizedTest
  @CsvSource({"9,6", "9,4", "9,0", "12,6"})
  void afterEachGrowthEveryClusterIsCountedAndBlocksCountThemselves(
      int clusterBits, int refcountOrder) throws IOException {
    MemoryStorage file = image(clusterBits, refcountOrder);
    Growing growing = new Growing(file);
    long firstTable = growing.header.refcountTableOffset();
    for (int i = 0; i < 12; i++) {
      RefcountGrowth growth = growing.by(2000);
      for (long c = growth.firstDataCluster(); c < growth.endCluster(); c++) {
        assertThat(growing.refcounts.getLocked(c)).isZero();
        growing.refcounts.setLocked(c, 1);
      }
      growing.refcounts.writeModifiedLocked();
      assertThat(complaint(file)).isEmpty();
    }
    if (refcountOrder == 6 && clusterBits == CLUSTER_BITS) {
      assertThat(RefcountsTest.header(file).refcountTableOffset()).isNotEqualTo(firstTable);
    }
  }

  /** What of table and blocks is not counted once, or what of the file is not counted at all. */
  private static String complaint(BlockStorage storage) throws IOException {
    Header header = RefcountsTest.header(storage);
    Refcounts refcounts = new Refcounts(storage, header, 1 << 16);
    int bits = header.clusterBits();
    for (long i = 0; i < header.refcountTableClusters(); i++) {
      if (refcounts.getLocked((header.refcountTableOffset() >>> bits) + i) != 1) {
        return "cluster %d of the table is not counted".formatted(i);
      }
    }
    long perBlock = refcounts.clustersPerBlock();
    for (int i = 0; i < refcounts.tableEntriesLocked(); i++) {
      long block = refcounts.blockOffsetLocked(i * perBlock);
      if (block != 0 && refcounts.getLocked(RefcountEntries.blockOffset(block) >>> bits) != 1) {
        return "block %d is not counted".formatted(i);
      }
    }
    return "";
  }

  @Test
  void theTableThatWasReplacedIsFree() throws IOException {
    MemoryStorage file = image(CLUSTER_BITS, 6);
    Growing growing = new Growing(file);
    long old = growing.header.refcountTableOffset() >>> CLUSTER_BITS;

    RefcountGrowth growth = growing.by(10_000);

    assertThat(growth.firstFreeCluster()).isEqualTo(old);
    assertThat(growing.refcounts.getLocked(old)).isZero();
    assertThat(RefcountsTest.header(file).refcountTableClusters()).isGreaterThan(1);
  }

  @Test
  void clustersThatCountAsUsedBehindTheFileAreLeftAlone() throws IOException {
    MemoryStorage file = image(12, 4);
    Growing growing = new Growing(file);
    long end = file.size() >>> 12;
    growing.refcounts.setLocked(end + 5, 1);

    RefcountGrowth growth = growing.by(10);

    assertThat(growth.firstDataCluster()).isEqualTo(end + 6);
  }

  @Test
  void blocksThatAreAskedForAreMadeToo() throws IOException {
    Growing growing = new Growing(image(CLUSTER_BITS, 6));
    growing.storage.resize(64 * 64 * 512);

    growing.by(0, new TreeSet<>(List.of(10L, 20L)));

    assertThat(growing.refcounts.blockOffsetLocked(10 * 64)).isPositive();
    assertThat(growing.refcounts.blockOffsetLocked(20 * 64)).isPositive();
    assertThat(growing.refcounts.blockOffsetLocked(15 * 64)).isZero();
    assertThat(complaint(growing.storage)).isEmpty();
  }

  @Test
  void aPowerLossLeavesTheOldOrTheNewStructures() throws IOException {
    PowerLossStorage whole = new PowerLossStorage(image(CLUSTER_BITS, 6), PowerLossStorage.NEVER);
    new Growing(whole).by(8000);
    List<String> complaints = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(2);
    for (long cut = 1; cut <= whole.changes(); cut++) {
      PowerLossStorage storage = new PowerLossStorage(image(CLUSTER_BITS, 6), cut);
      try {
        new Growing(storage).by(8000);
      } catch (PowerLossException expected) {
        // the state at this moment is what the test is about
      }
      for (BitSet kept : SurvivorChoices.of(storage, 30, random)) {
        complaints.add(complaint(storage.surviving(kept)));
      }
    }
    assertThat(complaints).isNotEmpty().allMatch(String::isEmpty);
  }
}
