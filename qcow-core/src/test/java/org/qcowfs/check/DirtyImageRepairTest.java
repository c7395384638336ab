package org.qcowfs.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.alloc.Refcounts;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.format.Header;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;
import org.qcowfs.testkit.storage.MemoryStorage;
import org.qcowfs.testkit.storage.PowerLossException;
import org.qcowfs.testkit.storage.PowerLossStorage;
import org.qcowfs.testkit.storage.SurvivorChoices;

final class DirtyImageRepairTest {
  private static final int SMALL = 9;
  private static final int SURVIVORS = 10;
  private static final long COPIED = 1L << 63;

  @ParameterizedTest(name = "cluster bits {0}, refcount order {1}")
  @CsvSource({"9,0", "9,1", "9,4", "9,6", "12,2", "12,3", "12,5", "16,4", "16,6", "21,4"})
  void refcountsAndFlagsAreRightAfterwardsAndAllElseIsAsItWas(int clusterBits, int refcountOrder)
      throws IOException {
    DirtyImage dirty = DirtyImage.of(clusterBits, refcountOrder);
    MemoryStorage file = dirty.storage();

    DirtyImageRepair.Outcome outcome = DirtyImage.repair(file);

    assertThat(dirty.complaint(file)).isEmpty();
    assertThat(DirtyImage.header(file).dirty()).isFalse();
    assertThat(outcome.wrongRefcounts()).isPositive();
    assertThat(outcome.wrongFlags()).isEqualTo(7);
  }

  @Test
  void aSecondRepairFindsNothingWrong() throws IOException {
    MemoryStorage file = DirtyImage.of(12, 4).storage();
    DirtyImage.repair(file);

    assertThat(DirtyImage.repair(file)).isEqualTo(new DirtyImageRepair.Outcome(0, 0));
  }

  @ParameterizedTest(name = "cluster bits {0}, refcount order {1}")
  @CsvSource({"9,6", "12,4"})
  void aPowerLossLeavesTheDirtyBitOrAnImageThatIsRight(int clusterBits, int refcountOrder)
      throws IOException {
    DirtyImage dirty = DirtyImage.of(clusterBits, refcountOrder);
    PowerLossStorage whole = new PowerLossStorage(dirty.storage(), PowerLossStorage.NEVER);
    DirtyImage.repair(whole);
    List<String> complaints = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(1);
    for (long cut = 1; cut <= whole.changes(); cut++) {
      PowerLossStorage storage = new PowerLossStorage(dirty.storage(), cut);
      try {
        DirtyImage.repair(storage);
      } catch (PowerLossException expected) {
        // the state at this moment is what the test is about
      }
      for (BitSet kept : SurvivorChoices.of(storage, SURVIVORS, random)) {
        MemoryStorage survivor = storage.surviving(kept);
        complaints.add(dirty.changedData(survivor));
        if (DirtyImage.header(survivor).dirty()) {
          DirtyImage.repair(survivor);
        }
        complaints.add(dirty.complaint(survivor));
      }
    }
    assertThat(complaints).isNotEmpty().allMatch(String::isEmpty);
  }

  /** An image of 512-byte clusters; one block of 64-bit refcounts counts 64 of them. */
  private static TestImage small(long... hostOffsets) {
    ImageBuilder builder = new ImageBuilder(3, SMALL).refcountOrder(6).incompatible(1);
    for (int i = 0; i < hostOffsets.length; i++) {
      builder.disk().rawEntry(i, COPIED | hostOffsets[i], 0);
    }
    return builder.build();
  }

  private static MemoryStorage storage(TestImage image) {
    SparseBytes bytes = image.bytes();
    return MemoryStorage.of(bytes.read(0, Math.toIntExact(bytes.size())));
  }

  @ParameterizedTest
  @CsvSource({"0x10000", "0x100000", "0x500000", "0x3000000"})
  void noNewBlockLiesWhereATableNamesAClusterPastTheEnd(String hostOffset) throws IOException {
    long far = Long.decode(hostOffset);
    TestImage image = small(far, far + 512, far + 100 * 512);
    MemoryStorage file = storage(image);

    DirtyImage.repair(file);

    Header header = DirtyImage.header(file);
    Refcounts refcounts = new Refcounts(file, header, 1 << 16);
    ReferenceCounter references = new ReferenceCounter(file, header);
    references.addHeaderAndRefcounts();
    references.addTables(header.l1TableOffset(), header.l1Entries());
    assertThat(file.size()).isGreaterThan(far + 100 * 512);
    assertThat(references.count(far >> SMALL)).isEqualTo(1);
    for (long cluster = 0; cluster < references.endCluster(); cluster++) {
      assertThat(refcounts.getLocked(cluster))
          .as("cluster %d", cluster)
          .isEqualTo(references.count(cluster));
    }
  }

  private static void assertRefusedUnchanged(MemoryStorage file, String reason) {
    byte[] before = file.bytes();
    assertThatThrownBy(() -> DirtyImage.repair(file))
        .isInstanceOf(ReadOnlyImageException.class)
        .hasMessageContaining("dirty bit")
        .hasMessageContaining(reason)
        .hasMessageContaining("mount it with ro");
    assertThat(file.bytes()).isEqualTo(before);
  }

  @Test
  void anEntryFarBehindTheEndIsRefused() {
    assertRefusedUnchanged(storage(small(1L << 40)), "far behind the end");
  }

  @Test
  void anEntryThatIsNotAlignedIsRefused() throws IOException {
    DirtyImage dirty = DirtyImage.of(12, 4);
    dirty.bytes().putLong(dirty.image().l2EntryOffset(0), COPIED | 0x4200);

    assertRefusedUnchanged(dirty.storage(), "not aligned");
  }

  @Test
  void dataOnAStructureIsRefused() throws IOException {
    for (long structure : new long[] {0x200, 0}) {
      DirtyImage dirty = DirtyImage.of(SMALL, 4);
      long offset = structure == 0 ? dirty.image().refcountTableOffset() : structure;
      dirty.bytes().putLong(dirty.image().l2EntryOffset(0), COPIED | offset);

      assertRefusedUnchanged(dirty.storage(), "overlaps a structure");
    }
  }

  @Test
  void anL2TableOnAStructureIsRefused() throws IOException {
    DirtyImage dirty = DirtyImage.of(12, 4);
    long block = dirty.bytes().getLong(dirty.image().refcountTableOffset());
    dirty.bytes().putLong(dirty.image().l1EntryOffset(0), block);

    assertRefusedUnchanged(dirty.storage(), "overlaps another structure");
  }

  @Test
  void anL2TableBehindTheEndIsRefused() throws IOException {
    DirtyImage dirty = DirtyImage.of(12, 4);
    dirty.bytes().putLong(dirty.image().l1EntryOffset(0), COPIED | 0x100_0000);

    assertRefusedUnchanged(dirty.storage(), "ends past the end of the file");
  }

  @Test
  void aSnapshotWhoseTableIsTooLongIsRefused() throws IOException {
    DirtyImage dirty = DirtyImage.of(12, 4);
    dirty.bytes().putInt(dirty.image().snapshotOffsets().get(0) + 8, 0x7fff_ffff);

    assertRefusedUnchanged(dirty.storage(), "more than the limit");
  }

  @Test
  void aBitmapDirectoryThatMakesNoSenseIsRefused() throws IOException {
    DirtyImage dirty = DirtyImage.of(12, 4);
    dirty.bytes().putInt(dirty.image().bitmapDirectoryOffset() + 12, 0x70);

    assertRefusedUnchanged(dirty.storage(), "reserved bits");
  }

  @Test
  void moreReferencesThanARefcountCanSayAreRefused() {
    ImageBuilder builder = new ImageBuilder(3, 12).refcountOrder(0).incompatible(1);
    builder.disk().data(0, new byte[] {1}).rawEntry(1, 0, 0);
    TestImage image = builder.build();
    image.bytes().putLong(image.l2EntryOffset(4096), image.l2Entry(0));

    assertRefusedUnchanged(storage(image), "referred to 2 times");
  }

  @Test
  void theDataOfABitmapInUseIsKept() throws IOException {
    DirtyImage dirty = DirtyImage.of(12, 4);
    SparseBytes bytes = dirty.bytes();
    long data = bytes.size();
    bytes.resize(data + 4096);
    bytes.putLong(data, -1);
    long table = bytes.getLong(dirty.image().bitmapDirectoryOffset());
    bytes.putLong(table, data);
    dirty.remember();
    MemoryStorage file = dirty.storage();

    DirtyImage.repair(file);

    Refcounts refcounts = new Refcounts(file, DirtyImage.header(file), 1 << 16);
    assertThat(refcounts.getLocked(data >> 12)).isEqualTo(1);
    assertThat(dirty.complaint(file)).isEmpty();
  }
}
