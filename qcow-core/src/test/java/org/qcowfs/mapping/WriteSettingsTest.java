package org.qcowfs.mapping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.format.Header;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.storage.MemoryStorage;
import org.qcowfs.testkit.storage.PowerLossException;
import org.qcowfs.testkit.storage.PowerLossStorage;
import org.qcowfs.testkit.storage.RecordingStorage;
import org.qcowfs.testkit.storage.StorageOperation;
import org.qcowfs.testkit.storage.StorageOperation.Kind;
import org.qcowfs.testkit.storage.SurvivorChoices;

final class WriteSettingsTest {
  private static final int CLUSTER_BYTES = 4096;
  private static final int MIB = 1 << 20;
  private static final long LAZY = 1;

  private static MemoryStorage image(long compatible) {
    return TestDisk.image(new ImageBuilder(3, 12).compatible(compatible));
  }

  private static WriteSettings lazy(boolean value) {
    return new WriteSettings(Optional.of(value), 1 << 16, true, 1 << 20);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void withoutAWriteTheFileStaysAsItWasWhateverIsAskedFor(boolean lazy) throws IOException {
    MemoryStorage file = image(lazy ? 0 : LAZY);
    byte[] before = file.bytes();

    ActiveDisk disk = TestDisk.open(file, lazy(lazy));
    disk.flushToDisk();
    disk.close();

    assertThat(file.bytes()).isEqualTo(before);
  }

  @Test
  void lazyRefcountsAreSwitchedOnWithTheFirstWriteAndTheImageIsLeftClean() throws IOException {
    MemoryStorage file = image(0);
    ActiveDisk disk = TestDisk.open(file, lazy(true));

    disk.write(TestDisk.bytes(512, 1), 0);

    assertThat(TestDisk.header(file).lazyRefcounts()).isTrue();
    assertThat(TestDisk.header(file).dirty()).isTrue();
    disk.close();
    assertThat(TestDisk.header(file).lazyRefcounts()).isTrue();
    assertThat(TestDisk.header(file).dirty()).isFalse();
    assertThat(TestDisk.uncounted(file)).isEmpty();
  }

  @Test
  void lazyRefcountsAreSwitchedOffWithTheFirstWriteAndTheImageNeverIsDirty() throws IOException {
    MemoryStorage file = image(LAZY);
    ActiveDisk disk = TestDisk.open(file, lazy(false));

    disk.write(TestDisk.bytes(512, 1), 0);

    assertThat(TestDisk.header(file).lazyRefcounts()).isFalse();
    assertThat(TestDisk.header(file).dirty()).isFalse();
    disk.close();
    assertThat(TestDisk.header(file).dirty()).isFalse();
  }

  @Test
  void withoutASettingTheImageDecides() throws IOException {
    MemoryStorage file = image(LAZY);
    ActiveDisk disk = TestDisk.open(file);

    disk.write(TestDisk.bytes(512, 1), 0);

    assertThat(TestDisk.header(file).dirty()).isTrue();
    disk.close();
    assertThat(TestDisk.header(file).dirty()).isFalse();
  }

  @Test
  void anImageOfVersionTwoCannotHaveLazyRefcounts() throws IOException {
    MemoryStorage file = TestDisk.image(new ImageBuilder(2, 12));

    assertThatThrownBy(() -> TestDisk.open(file, lazy(true)))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("version 2");
    ActiveDisk disk = TestDisk.open(file, lazy(false));
    disk.write(TestDisk.bytes(512, 1), 0);
    disk.close();
    assertThat(TestDisk.uncounted(file)).isEmpty();
  }

  @Test
  void theDirtyBitIsDurableBeforeAnythingElseChanges() throws IOException {
    RecordingStorage recorder = new RecordingStorage(image(LAZY));
    ActiveDisk disk = TestDisk.open(recorder);
    recorder.clear();

    disk.write(TestDisk.bytes(512, 1), 0);

    List<StorageOperation> changes =
        recorder.operations().stream().filter(op -> op.kind() != Kind.READ).toList();
    assertThat(changes.get(0).hostOffset()).isZero();
    assertThat(changes.subList(1, 3))
        .extracting(StorageOperation::kind)
        .containsExactly(Kind.FLUSH, Kind.FLUSH_DONE);
  }

  @Test
  void aPowerLossLeavesRefcountsWrongOnlyWhereTheImageSaysSo() throws IOException {
    PowerLossStorage whole = new PowerLossStorage(image(0), PowerLossStorage.NEVER);
    writeLazily(whole);
    List<String> complaints = new ArrayList<>();
    boolean dirtySeen = false;
    SplittableRandom random = new SplittableRandom(1);
    for (long cut = 1; cut <= whole.changes(); cut++) {
      PowerLossStorage storage = new PowerLossStorage(image(0), cut);
      try {
        writeLazily(storage);
      } catch (PowerLossException expected) {
        // the state at this moment is what the test is about
      }
      for (BitSet kept : SurvivorChoices.of(storage, 8, random)) {
        MemoryStorage survivor = storage.surviving(kept);
        boolean dirty = TestDisk.header(survivor).dirty();
        dirtySeen |= dirty && !TestDisk.uncounted(survivor).isEmpty();
        if (!dirty) {
          complaints.addAll(TestDisk.uncounted(survivor));
        }
      }
    }
    assertThat(complaints).isEmpty();
    assertThat(dirtySeen).as("a state with wrong refcounts was met").isTrue();
  }

  private static void writeLazily(BlockStorage storage) throws IOException {
    ActiveDisk disk = TestDisk.open(storage, lazy(true));
    for (int i = 0; i < 4; i++) {
      disk.write(TestDisk.bytes(CLUSTER_BYTES, i + 1), i * 3L * CLUSTER_BYTES);
      disk.flushToDisk();
    }
    disk.close();
  }

  @Test
  void refcountsThatChangedAreWrittenBeforeTheyTakeMoreMemoryThanAllowed() throws IOException {
    ImageBuilder builder = new ImageBuilder(3, 9).virtualSize(8 * MIB).refcountOrder(6);
    RecordingStorage recorder = new RecordingStorage(TestDisk.image(builder.compatible(LAZY)));
    ActiveDisk disk = TestDisk.open(recorder, lazy(true));
    for (int i = 0; i < 8; i++) {
      disk.write(TestDisk.bytes(MIB, 1), (long) i * MIB);
    }
    disk.flushToDisk();
    recorder.clear();

    disk.zero(0, 8 * MIB, true);
    disk.flushToDisk();

    // 16,384 refcounts of 8 bytes lie in 256 blocks of 512, of which only 8 may stay in memory.
    Set<Long> blocks = refcountBlocks(recorder);
    long written =
        recorder.operations().stream()
            .filter(op -> op.kind() == Kind.WRITE)
            .flatMapToLong(
                op ->
                    LongStream.range(op.hostOffset() / 512, (op.hostOffset() + op.length()) / 512))
            .filter(sector -> blocks.contains(sector * 512))
            .count();
    assertThat(written).isGreaterThan(200);
    disk.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void freedClustersAreGivenBackToTheHostOnlyWhereThatIsWanted(boolean punch) throws IOException {
    MemoryStorage file = image(0);
    ActiveDisk disk =
        TestDisk.open(file, new WriteSettings(Optional.empty(), 1 << 16, punch, 1 << 20));
    disk.write(TestDisk.bytes(MIB / 2, 1), 0);
    disk.flushToDisk();
    long before = file.allocatedBytes();

    disk.zero(0, MIB / 2, true);
    disk.flushToDisk();
    disk.flushToDisk();

    assertThat(before - file.allocatedBytes()).isEqualTo(punch ? MIB / 2 : 0);
  }

  private static Set<Long> refcountBlocks(BlockStorage storage) throws IOException {
    Header header = TestDisk.header(storage);
    ByteBuffer table = ByteBuffer.allocate(header.refcountTableClusters() * header.clusterBytes());
    storage.readFully(table, header.refcountTableOffset());
    Set<Long> blocks = new HashSet<>();
    for (table.flip(); table.hasRemaining(); ) {
      blocks.add(table.getLong());
    }
    return blocks;
  }
}
