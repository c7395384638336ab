package org.qcowfs.alloc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.format.Header;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.storage.FaultPlan;
import org.qcowfs.testkit.storage.FaultPlan.Fault;
import org.qcowfs.testkit.storage.FaultyStorage;
import org.qcowfs.testkit.storage.MemoryStorage;

/**
 * Clusters are taken, through several growths of refcount blocks and table, and given back, while
 * one operation of the host fails: no cluster is lost, counted twice, or handed out twice.
 */
final class BrokenHostSpaceTest {
  /** Small clusters and wide refcounts: a block counts 64 clusters, a table 64 blocks. */
  private static final int CLUSTER_BITS = 9;

  private static final int REFCOUNT_ORDER = 6;
  private static final int ROUNDS = 14;

  private static MemoryStorage image() {
    SparseBytes bytes =
        new ImageBuilder(3, CLUSTER_BITS).refcountOrder(REFCOUNT_ORDER).build().bytes();
    return MemoryStorage.of(bytes.read(0, Math.toIntExact(bytes.size())));
  }

  private static Header header(BlockStorage storage) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Header.DECODED_BYTES);
    storage.readFully(bytes, 0);
    return Header.decode(bytes.flip());
  }

  private static HostSpace open(BlockStorage storage, Header header) throws IOException {
    HeaderSector sector = new HeaderSector(storage, header.version());
    DurabilityClock clock = new DurabilityClock(storage::flushToDisk);
    return new HostSpace(
        storage,
        header.geometry(),
        new Refcounts(storage, header, 1),
        sector,
        clock,
        new LeakRecord(storage, header, sector, clock),
        1 << 12);
  }

  /** Takes more and more clusters at once; gives the first half back when it is half-way. */
  private static void use(HostSpace space, List<HostSpace.Allocation> taken) {
    for (int round = 0; round < ROUNDS; round++) {
      int wanted = 1 << Math.min(round, 10);
      attempt(() -> taken.add(space.allocateLocked(wanted)));
      attempt(() -> taken.add(space.allocateContiguousLocked(3)));
      attempt(space::topUpLocked);
      if (round == ROUNDS / 2) {
        giveBack(space, taken);
      }
      attempt(space::writeRefcountsLocked);
    }
  }

  private static void giveBack(HostSpace space, List<HostSpace.Allocation> taken) {
    for (HostSpace.Allocation allocation : taken) {
      long bytes = (long) allocation.count() << CLUSTER_BITS;
      space.releaseLocked(allocation.hostOffset(), bytes, true, false);
    }
    taken.clear();
    attempt(space::dropReferencesLocked);
  }

  @FunctionalInterface
  private interface Step {
    void make() throws IOException;
  }

  private static void attempt(Step step) {
    try {
      step.make();
    } catch (IOException | OutOfMemoryError e) {
      assertThat(e).hasMessageContaining(" failed");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFaultLosesNoClusterAndGivesNoneOutTwice(Fault fault) throws IOException {
    long n = 1;
    while (run(fault, n)) {
      n++;
    }
    assertThat(n).isGreaterThan(30);
  }

  /** Whether the fault was met. */
  private static boolean run(Fault fault, long n) throws IOException {
    MemoryStorage file = image();
    FaultPlan plan = new FaultPlan(fault, n, false);
    Header header = header(file);
    HostSpace space;
    try {
      space = open(new FaultyStorage(file, plan), header);
    } catch (IOException | OutOfMemoryError e) {
      return true;
    }
    List<HostSpace.Allocation> taken = new ArrayList<>();
    use(space, taken);
    plan.heal();
    if (plan.hasFlushFailed()) {
      return true;
    }
    giveBack(space, taken);
    HostSpace.Allocation last = space.allocateLocked(1);
    space.closeLocked();
    assertThat(counted(file)).as("%s at operation %d", fault, n).isEqualTo(used(file, last));
    return plan.isMet();
  }

  /** Clusters whose refcount is not 0. */
  private static List<Long> counted(MemoryStorage file) throws IOException {
    Refcounts refcounts = new Refcounts(file, header(file), 1 << 16);
    List<Long> counted = new ArrayList<>();
    long end = refcounts.tableEntriesLocked() * refcounts.clustersPerBlock();
    for (long cluster = 0; cluster < end; cluster++) {
      long count = refcounts.getLocked(cluster);
      for (long i = 0; i < count; i++) {
        counted.add(cluster);
      }
    }
    return counted;
  }

  /** What the image consists of: all that it did at first, blocks, the table, and one cluster. */
  private static List<Long> used(MemoryStorage file, HostSpace.Allocation last) throws IOException {
    MemoryStorage first = image();
    Refcounts before = new Refcounts(first, header(first), 1 << 16);
    Refcounts now = new Refcounts(file, header(file), 1 << 16);
    List<Long> used = new ArrayList<>(counted(first));
    removeStructures(used, before, header(first));
    addStructures(used, now, header(file));
    used.add(last.hostOffset() >>> CLUSTER_BITS);
    return used.stream().sorted().toList();
  }

  private static void removeStructures(List<Long> clusters, Refcounts refcounts, Header header)
      throws IOException {
    List<Long> structures = new ArrayList<>();
    addStructures(structures, refcounts, header);
    clusters.removeAll(structures);
  }

  private static void addStructures(List<Long> clusters, Refcounts refcounts, Header header)
      throws IOException {
    for (long i = 0; i < header.refcountTableClusters(); i++) {
      clusters.add((header.refcountTableOffset() >>> CLUSTER_BITS) + i);
    }
    long end = refcounts.tableEntriesLocked() * refcounts.clustersPerBlock();
    for (long cluster = 0; cluster < end; cluster += refcounts.clustersPerBlock()) {
      long block = refcounts.blockOffsetLocked(cluster);
      if (block != 0) {
        clusters.add(block >>> CLUSTER_BITS);
      }
    }
  }
}
