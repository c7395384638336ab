package org.qcowfs.testkit.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.qcowfs.storage.BlockStorage;

final class PowerLossStorageTest {
  private static final int SECTOR_BYTES = PowerLossStorage.SECTOR_BYTES;

  private final SplittableRandom random = new SplittableRandom(1);
  private final PowerLossStorage disk = disk(4 * SECTOR_BYTES, PowerLossStorage.NEVER);

  /** A pointer in the first sector says that the second one holds what it should. */
  private static void writePointerAndTarget(BlockStorage storage, boolean barrier)
      throws IOException {
    storage.write(sectors(1, 7), SECTOR_BYTES);
    if (barrier) {
      storage.flushToDisk();
    }
    storage.write(sectors(1, 1), 0);
    storage.flushToDisk();
  }

  private boolean everyPointerHasItsTarget(boolean barrier) throws IOException {
    for (long cut = 1; cut <= 5; cut++) {
      PowerLossStorage storage = disk(4 * SECTOR_BYTES, cut);
      try {
        writePointerAndTarget(storage, barrier);
      } catch (PowerLossException e) {
        assertThat(storage.changes()).isEqualTo(cut);
      }
      for (BitSet kept : SurvivorChoices.of(storage, 100, random)) {
        byte[] found = storage.surviving(kept).bytes();
        if (found[0] == 1 && found[SECTOR_BYTES] != 7) {
          return false;
        }
      }
    }
    return true;
  }

  @Test
  void aBarrierBetweenTargetAndPointerHolds() throws IOException {
    assertThat(everyPointerHasItsTarget(true)).isTrue();
  }

  /** The canary: without the barrier, some state must show it. */
  @Test
  void aMissingBarrierIsFound() throws IOException {
    assertThat(everyPointerHasItsTarget(false)).isFalse();
  }

  @Test
  void aMissingBarrierIsFoundInARecordedRun() throws IOException {
    RecordingStorage recording = new RecordingStorage(MemoryStorage.of(new byte[4 * SECTOR_BYTES]));
    writePointerAndTarget(recording, false);
    boolean found = false;
    for (StorageOperation operation : recording.operations()) {
      disk.replay(operation);
      for (BitSet kept : SurvivorChoices.of(disk, 100, random)) {
        byte[] bytes = disk.surviving(kept).bytes();
        found |= bytes[0] == 1 && bytes[SECTOR_BYTES] != 7;
      }
    }
    assertThat(found).isTrue();
    assertThat(disk.pendingParts()).isZero();
  }

  @Test
  void aFlushCoversOnlyWhatWasWrittenBeforeItBegan() throws IOException {
    disk.replay(StorageOperation.write(0, sectors(1, 1)));
    disk.replay(StorageOperation.of(StorageOperation.Kind.FLUSH, 0, 0));
    disk.replay(StorageOperation.write(SECTOR_BYTES, sectors(1, 2)));
    disk.replay(StorageOperation.of(StorageOperation.Kind.FLUSH_DONE, 0, 0));

    byte[] found = disk.surviving(new BitSet()).bytes();

    assertThat(found[0]).isEqualTo((byte) 1);
    assertThat(found[SECTOR_BYTES]).isZero();
  }

  @Test
  void anOverwrittenSectorMaySurviveInEachOfItsVersions() throws IOException {
    disk.write(sectors(1, 1), 0);
    disk.write(sectors(1, 2), 0);

    Set<Byte> versions = new HashSet<>();
    for (BitSet kept : SurvivorChoices.of(disk, 4, random)) {
      versions.add(disk.surviving(kept).bytes()[0]);
    }

    assertThat(versions).containsExactlyInAnyOrder((byte) 0, (byte) 1, (byte) 2);
  }

  @Test
  void growthThatDoesNotSurviveTakesTheBytesBehindTheOldEndAlong() throws IOException {
    disk.write(sectors(2, 9), 3 * SECTOR_BYTES);
    assertThat(disk.pendingParts()).isEqualTo(3);

    byte[] withoutGrowth = disk.surviving(bits(1, 2)).bytes();
    byte[] onlyGrowth = disk.surviving(bits(0)).bytes();

    assertThat(withoutGrowth).hasSize(4 * SECTOR_BYTES).endsWith(9);
    assertThat(onlyGrowth).hasSize(5 * SECTOR_BYTES).containsOnly(0);
  }

  @Test
  void cutAndGrownAgainABlockNeverShowsItsOldBytesOnceTheGrowthSurvives() throws IOException {
    disk.write(sectors(4, 5), 0);
    disk.flushToDisk();
    disk.resize(SECTOR_BYTES + 10);
    disk.resize(4 * SECTOR_BYTES);

    byte[] found = disk.surviving(bits(1)).bytes();

    assertThat(found).hasSize(4 * SECTOR_BYTES);
    assertThat(found[SECTOR_BYTES + 9]).isEqualTo((byte) 5);
    assertThat(Arrays.copyOfRange(found, SECTOR_BYTES + 10, found.length)).containsOnly(0);
  }

  @Test
  void behindThePowerLossNothingWorks() {
    PowerLossStorage dead = disk(SECTOR_BYTES, 1);

    assertThatThrownBy(() -> dead.write(sectors(1, 1), 0)).isInstanceOf(PowerLossException.class);
    assertThatThrownBy(dead::flushToDisk).isInstanceOf(PowerLossException.class);
    assertThatThrownBy(() -> dead.read(ByteBuffer.allocate(1), 0))
        .isInstanceOf(PowerLossException.class);
    assertThat(dead.pendingParts()).isEqualTo(1);
  }

  @Test
  void fewPartsAreTriedInAllCombinationsAndManyNoOftenerThanAsked() throws IOException {
    disk.write(sectors(3, 1), 0);
    assertThat(SurvivorChoices.of(disk, 8, random)).hasSize(8).doesNotHaveDuplicates();

    disk.write(sectors(4, 1), 0);
    List<BitSet> choices = SurvivorChoices.of(disk, 30, random);

    assertThat(choices).hasSize(30).contains(new BitSet(), bits(0, 1, 2), bits(3, 4, 5, 6));
  }

  private static PowerLossStorage disk(int bytes, long lastChange) {
    return new PowerLossStorage(MemoryStorage.of(new byte[bytes]), lastChange);
  }

  private static ByteBuffer sectors(int count, int value) {
    byte[] content = new byte[count * SECTOR_BYTES];
    Arrays.fill(content, (byte) value);
    return ByteBuffer.wrap(content);
  }

  private static BitSet bits(int... indexes) {
    BitSet bits = new BitSet();
    for (int index : indexes) {
      bits.set(index);
    }
    return bits;
  }
}
