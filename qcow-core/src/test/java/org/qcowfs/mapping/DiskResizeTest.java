package org.qcowfs.mapping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SnapshotSpec;
import org.qcowfs.testkit.storage.FaultPlan;
import org.qcowfs.testkit.storage.FaultPlan.Fault;
import org.qcowfs.testkit.storage.FaultyStorage;
import org.qcowfs.testkit.storage.MemoryStorage;
import org.qcowfs.testkit.storage.PowerLossException;
import org.qcowfs.testkit.storage.PowerLossStorage;
import org.qcowfs.testkit.storage.SurvivorChoices;

final class DiskResizeTest {
  private static final long SIZE = 64 << 10;

  private static MemoryStorage image(int clusterBits, int refcountOrder) {
    return TestDisk.image(
        new ImageBuilder(3, clusterBits).virtualSize(SIZE).refcountOrder(refcountOrder));
  }

  private static byte[] read(ActiveDisk disk, long offset, int count) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(count);
    disk.read(bytes, offset);
    return bytes.array();
  }

  private static byte[] filled(int count, int value) {
    return TestDisk.bytes(count, value).array();
  }

  @ParameterizedTest
  @CsvSource({"2,true", "3,false"})
  void theSnapshotsOfVersionTwoKeepTheSizeOfTheDisk(int version, boolean refused)
      throws IOException {
    ImageBuilder builder = new ImageBuilder(version, 16).virtualSize(SIZE);
    builder.snapshot(SnapshotSpec.of("1", "before", SIZE));
    ActiveDisk disk = TestDisk.open(TestDisk.image(builder));

    if (refused) {
      assertThatThrownBy(() -> disk.resize(2 * SIZE))
          .isInstanceOf(UnsupportedFeatureException.class)
          .hasMessageContaining("compat=1.1");
      assertThat(disk.size()).isEqualTo(SIZE);
    } else {
      disk.resize(2 * SIZE);
      assertThat(disk.size()).isEqualTo(2 * SIZE);
    }
  }

  @ParameterizedTest
  @CsvSource({"9,4", "9,6", "12,4", "16,4"})
  void aDiskGrowsBeyondItsL1TableAndTheOldTableIsFreed(int clusterBits, int refcountOrder)
      throws IOException {
    MemoryStorage file = image(clusterBits, refcountOrder);
    long oldTable = TestDisk.header(file).l1TableOffset();
    ActiveDisk disk = TestDisk.open(file);
    disk.write(TestDisk.bytes(4096, 1), 0);
    long larger = 4L << (2 * clusterBits + 3); // more than a cluster of L1 entries

    disk.resize(larger);
    disk.write(TestDisk.bytes(4096, 2), larger - 4096);
    disk.close();

    assertThat(TestDisk.header(file).virtualSize()).isEqualTo(larger);
    assertThat(TestDisk.header(file).l1TableOffset()).isNotEqualTo(oldTable);
    assertThat(TestDisk.miscounted(file)).isEmpty();
    ActiveDisk again = TestDisk.open(file);
    assertThat(read(again, 0, 4096)).isEqualTo(filled(4096, 1));
    assertThat(read(again, larger - 4096, 4096)).isEqualTo(filled(4096, 2));
  }

  @Test
  void whatWasCutOffReadsAsZerosWhenTheDiskGrowsAgain() throws IOException {
    MemoryStorage file = image(12, 4);
    ActiveDisk disk = TestDisk.open(file);
    disk.write(TestDisk.bytes((int) SIZE, 7), 0);

    disk.resize(5 * 512);
    disk.resize(SIZE);

    assertThat(read(disk, 0, 5 * 512)).isEqualTo(filled(5 * 512, 7));
    assertThat(read(disk, 5 * 512, (int) SIZE - 5 * 512)).containsOnly(0);
    disk.close();
    assertThat(TestDisk.miscounted(file)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {-512, 511, 1000})
  void aSizeThatIsNotInWholeSectorsIsACallersMistake(long bytes) throws IOException {
    ActiveDisk disk = TestDisk.open(image(12, 4));

    assertThatThrownBy(() -> disk.resize(bytes)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aSizeThatNeedsTooLongAnL1TableIsRefusedAndNothingChanges() throws IOException {
    MemoryStorage file = image(9, 4);
    ActiveDisk disk = TestDisk.open(file);

    assertThatThrownBy(() -> disk.resize(1L << 40))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("32 MiB");
    assertThat(disk.size()).isEqualTo(SIZE);
    disk.close();
    assertThat(TestDisk.header(file).virtualSize()).isEqualTo(SIZE);
  }

  /** Grows beyond the L1 table and shrinks, each with any one change that fails. */
  @ParameterizedTest
  @CsvSource({"16777216,EIO", "16777216,LATE", "8192,EIO", "8192,LATE", "16777216,OUT_OF_MEMORY"})
  void aResizeThatFailsLeavesTheOldSizeAndNoLeak(long newSize, Fault fault) throws IOException {
    int failures = 0;
    for (long n = 1; ; n++) {
      MemoryStorage file = image(9, 4);
      FaultPlan plan = new FaultPlan(fault, n, false);
      ActiveDisk disk;
      try {
        disk = TestDisk.open(new FaultyStorage(file, plan));
        disk.write(TestDisk.bytes(4096, 1), 0);
      } catch (IOException | OutOfMemoryError e) {
        continue;
      }
      boolean failed = failsOfThis(disk, newSize);
      plan.heal();
      if (!plan.isMet()) {
        break;
      }
      if (plan.hasFlushFailed()) {
        continue;
      }
      failures += failed ? 1 : 0;
      disk.flushToDisk();
      assertThat(TestDisk.header(file).virtualSize()).as("operation %d", n).isEqualTo(disk.size());
      assertThat(TestDisk.uncounted(file)).as("operation %d", n).isEmpty();
      assertThat(read(TestDisk.open(file), 0, 4096)).isEqualTo(filled(4096, 1));
      disk.write(TestDisk.bytes(4096, 2), 0);
      disk.close();
      assertThat(disk.size()).as("operation %d", n).isEqualTo(failed ? SIZE : newSize);
      assertThat(TestDisk.header(file).virtualSize()).isEqualTo(disk.size());
      assertThat(TestDisk.miscounted(file)).as("operation %d", n).isEmpty();
      assertThat(read(TestDisk.open(file), 0, 4096)).isEqualTo(filled(4096, 2));
    }
    assertThat(failures).isGreaterThan(2);
  }

  private static boolean failsOfThis(ActiveDisk disk, long newSize) {
    try {
      disk.resize(newSize);
      return false;
    } catch (IOException | OutOfMemoryError e) {
      return true;
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {16 << 20, 8 << 10})
  void aPowerLossLeavesADiskOfEitherSizeThatIsWhole(long newSize) throws IOException {
    PowerLossStorage whole = new PowerLossStorage(image(9, 4), PowerLossStorage.NEVER);
    resize(whole, newSize);
    List<String> complaints = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(3);
    for (long cut = 1; cut <= whole.changes(); cut++) {
      PowerLossStorage storage = new PowerLossStorage(image(9, 4), cut);
      boolean resized = false;
      try {
        resized = resize(storage, newSize);
      } catch (PowerLossException expected) {
        // the state at this moment is what the test is about
      }
      for (BitSet kept : SurvivorChoices.of(storage, 6, random)) {
        MemoryStorage survivor = storage.surviving(kept);
        complaints.addAll(TestDisk.uncounted(survivor));
        long size = TestDisk.header(survivor).virtualSize();
        if (size != newSize && (resized || size != SIZE)) {
          complaints.add("cut %d: the disk has %d bytes".formatted(cut, size));
        }
      }
    }
    assertThat(complaints).isEmpty();
  }

  private static boolean resize(BlockStorage storage, long newSize) throws IOException {
    ActiveDisk disk = TestDisk.open(storage);
    disk.write(TestDisk.bytes((int) SIZE, 7), 0);
    disk.flushToDisk();
    disk.resize(newSize);
    disk.close();
    return true;
  }
}
