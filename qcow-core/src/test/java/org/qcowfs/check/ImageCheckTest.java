package org.qcowfs.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;
import org.qcowfs.testkit.storage.MemoryStorage;
import org.qcowfs.testkit.storage.PowerLossException;
import org.qcowfs.testkit.storage.PowerLossStorage;
import org.qcowfs.testkit.storage.SurvivorChoices;

final class ImageCheckTest {
  private static final int SURVIVORS = 6;
  private static final long COPIED = 1L << 63;

  /** "abcdabcd". */
  private static final long TEXT = 0x6162_6364_6162_6364L;

  private static MemoryStorage storage(TestImage image) {
    SparseBytes bytes = image.bytes();
    return MemoryStorage.of(bytes.read(0, Math.toIntExact(bytes.size())));
  }

  private static ImageCheck check(org.qcowfs.storage.BlockStorage storage) {
    return new ImageCheck(storage, ImageCheck.Progress.SILENT);
  }

  @Test
  void aFindingNamesStructureIndexOffsetsAndWhatItMeans() throws IOException {
    TestImage image = CheckShape.USUAL.build();
    image.bytes().putLong(image.l2EntryOffset(4096), COPIED | 0x4000_0000L);

    CheckReport report = check(storage(image)).check();

    assertThat(report.findings().get(0).text())
        .startsWith("corruption: L2 table at host offset 0x")
        .contains("entry 1 (guest offset 0x1000)");
    assertThat(report.findings().stream().map(Finding::text))
        .anyMatch(text -> text.contains("past the end of the file"))
        .anyMatch(text -> text.contains("4096 bytes of the disk are lost"));
  }

  @Test
  void aClusterOfTwoGuestClustersIsCopiedByTheNextWriteAfterARepair() throws IOException {
    TestImage image = CheckShape.USUAL.build();
    image.bytes().putLong(image.l2EntryOffset(4096), image.l2Entry(0));
    MemoryStorage file = storage(image);

    CheckReport before = check(file).check();
    CheckReport after = check(file).repairAll();

    assertThat(before.corruptions()).isEqualTo(1);
    assertThat(before.leaks()).isEqualTo(1);
    assertThat(after.isClean()).isTrue();
    assertThat(file.word(image.l2EntryOffset(0))).isEqualTo(image.l2Entry(0) & ~COPIED);
    assertThat(file.word(image.l2EntryOffset(4096))).isEqualTo(image.l2Entry(0) & ~COPIED);
  }

  @Test
  void anOverlapIsAnErrorForEachDiskThatSharesTheTable() throws IOException {
    TestImage image = CheckShape.USUAL.build();
    long named = image.bytes().getLong(image.l1TableOffset()) & ~COPIED;
    long shared = image.bytes().getLong(image.l1TableOffset() + 8);
    image.bytes().putLong(image.l1TableOffset(), named);
    image.bytes().putLong(shared, named);
    CheckShape.USUAL.setRefcount(image, named, 3);

    CheckReport report = check(storage(image)).check();

    assertThat(report.findings().get(0).problem()).contains("overlaps", "an L2 table");
    assertThat(report.corruptions()).isEqualTo(2);
  }

  /** Names the host offset in every entry of the second L2 table that names nothing. */
  private static void fillSecondTable(CheckShape shape, TestImage image, long entry) {
    long table = image.bytes().getLong(image.l1TableOffset() + 8) & ~COPIED;
    for (int index = 0; index < shape.perTable(); index++) {
      if (image.bytes().getLong(table + index * 8L) == 0) {
        image.bytes().putLong(table + index * 8L, entry);
      }
    }
  }

  @Test
  void zerosInThePlaceOfLostDataTakeNoSpace() throws IOException {
    TestImage image = CheckShape.OLD.build();
    fillSecondTable(CheckShape.OLD, image, COPIED | 0x4000_0000L);
    MemoryStorage file = storage(image);
    long allocatedBefore = file.allocatedBytes();

    CheckReport report = check(file).repairAll();

    assertThat(report.isClean()).isTrue();
    assertThat(file.size()).isGreaterThan(CheckShape.OLD.perTable() << 12);
    assertThat(file.allocatedBytes()).isLessThan(allocatedBefore + (64 << 10));
  }

  @Test
  void aTableThatNamesOneClusterTooOftenIsNotRepaired() throws IOException {
    TestImage image = CheckShape.LARGE.build();
    fillSecondTable(CheckShape.LARGE, image, COPIED | image.refcountTableOffset());
    MemoryStorage file = storage(image);
    byte[] before = file.bytes();

    assertThatThrownBy(() -> check(file).repairAll())
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("lie on one another");

    assertThat(file.bytes()).isEqualTo(before);
  }

  /** The clusters of such entries are counted at once, where nothing is wrong with them. */
  @Test
  void whatIsWrongWithAllEntriesOfARunIsFound() throws IOException {
    ImageBuilder builder = new ImageBuilder(3, 9).virtualSize(8 << 20);
    for (int table = 0; table < 4; table++) {
      builder.disk().zero(table * 64L);
    }
    TestImage image = builder.build();
    putRun(image, 8, COPIED | image.l2EntryOffset(0));
    putRun(image, 16, COPIED | image.l1TableOffset());
    putRun(image, 24, image.bytes().size() + (1 << 20));

    List<Finding> found = check(storage(image)).check().findings();

    assertThat(found.stream().map(Finding::text))
        .filteredOn(text -> text.contains("overlaps a structure of the image: L1 table"))
        .hasSize(4);
    assertThat(found.stream().map(Finding::text))
        .filteredOn(text -> text.contains("overlaps a structure of the image: an L2 table"))
        .hasSize(4);
    assertThat(found.stream().map(Finding::text))
        .filteredOn(text -> text.contains("lies past the end of the file"))
        .hasSize(4);
  }

  /** Four entries, of four clusters that lie one behind the other. */
  private static void putRun(TestImage image, int guestCluster, long entry) {
    for (int i = 0; i < 4; i++) {
      image.bytes().putLong(image.l2EntryOffset((guestCluster + i) * 512L), entry + i * 512L);
    }
  }

  /** As two rounds of it look alike to a hash code: these words have that of 0. */
  @Test
  void aTableFullOfTheSameTextIsRepairedAtOnce() throws IOException {
    CheckShape shape = CheckShape.EXTENDED;
    TestImage image = shape.build();
    for (long guest = 0; guest < shape.perTable(); guest++) {
      image.bytes().putLong(image.l2EntryOffset(guest * shape.clusterBytes()), TEXT);
      image.bytes().putLong(image.l2EntryOffset(guest * shape.clusterBytes()) + 8, TEXT);
    }

    CheckReport report = check(storage(image)).repairAll();

    assertThat(report.isClean()).isTrue();
  }

  @Test
  void leaksStayWhereTheyMayBelongToADamagedTable() throws IOException {
    TestImage image = CheckShape.USUAL.build();
    image.bytes().putLong(image.l1TableOffset(), COPIED | 0x4000_0000L);
    MemoryStorage file = storage(image);
    byte[] before = file.bytes();

    CheckReport report = check(file).repairLeaks();

    assertThat(report.leaks()).isPositive();
    assertThat(report.repairs()).anyMatch(line -> line.startsWith("leaks are kept"));
    assertThat(file.bytes()).isEqualTo(before);
  }

  @Test
  void leaksAreGivenBackAndNothingElseIsChanged() throws IOException {
    TestImage image = CheckShape.USUAL.build();
    long data = image.clusterOffset(0);
    image.bytes().putShort(CheckShape.USUAL.refcountOffset(image, data), 3);
    image.bytes().putLong(image.l2EntryOffset(0), image.l2Entry(0) & ~COPIED);
    MemoryStorage file = storage(image);

    CheckReport report = check(file).repairLeaks();

    assertThat(report.isClean()).isTrue();
    assertThat(file.word(image.l2EntryOffset(0)) & COPIED).isNotZero();
  }

  @Test
  void aCorruptAndDirtyImageWithoutErrorsIsNeitherAfterwards() throws IOException {
    TestImage image = CheckShape.USUAL.build();
    image.bytes().putLong(72, 3);
    MemoryStorage file = storage(image);

    assertThat(check(file).repairAll().isClean()).isTrue();

    assertThat(file.word(72)).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "L1 entry 1 past the end",
        "data on the refcount table",
        "data on the snapshot table",
        "shared data",
        "reserved bits",
        "refcount block",
        "snapshot"
      })
  void aPowerLossInARepairLeavesAnImageThatTheNextRepairFinishes(String kind) throws IOException {
    TestImage image = broken(kind);
    PowerLossStorage whole = new PowerLossStorage(storage(image), PowerLossStorage.NEVER);
    check(whole).repairAll();
    byte[] expected = data(whole.current(), image);
    List<String> complaints = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(1);
    for (long cut = 1; cut <= whole.changes(); cut++) {
      PowerLossStorage storage = new PowerLossStorage(storage(image), cut);
      try {
        check(storage).repairAll();
      } catch (PowerLossException expectedHere) {
        // the state at this moment is what the test is about
      }
      for (BitSet kept : SurvivorChoices.of(storage, SURVIVORS, random)) {
        MemoryStorage survivor = storage.surviving(kept);
        CheckReport report = check(survivor).repairAll();
        if (!report.isClean()) {
          complaints.add("cut %d: %s".formatted(cut, report.findings().get(0).text()));
        }
        if (!Arrays.equals(expected, data(survivor, image))) {
          complaints.add("cut %d: a guest cluster has changed".formatted(cut));
        }
      }
    }
    assertThat(complaints).isEmpty();
  }

  private static TestImage broken(String kind) {
    TestImage image = CheckShape.SMALL.build();
    SparseBytes bytes = image.bytes();
    switch (kind) {
      case "L1 entry 1 past the end" -> bytes.putLong(image.l1TableOffset() + 8, COPIED | 1 << 24);
      case "data on the refcount table" ->
          bytes.putLong(image.l2EntryOffset(512), COPIED | image.refcountTableOffset());
      case "data on the snapshot table" ->
          bytes.putLong(image.l2EntryOffset(512), COPIED | image.snapshotOffsets().get(0));
      case "shared data" -> bytes.putLong(image.l2EntryOffset(512), image.l2Entry(0));
      case "reserved bits" ->
          bytes.putLong(image.l2EntryOffset(512), image.l2Entry(512) | 1L << 60);
      case "refcount block" -> bytes.putLong(image.refcountTableOffset(), image.l1TableOffset());
      default -> bytes.putLong(image.snapshotOffsets().get(0), 1L << 30);
    }
    return image;
  }

  /** What guest clusters 0 and 1 hold; the second is where data lies on something else. */
  private static byte[] data(MemoryStorage file, TestImage image) {
    byte[] bytes = new byte[1024];
    for (int cluster = 0; cluster < 2; cluster++) {
      long entry = file.word(image.l2EntryOffset(cluster * 512L));
      ByteBuffer destination = ByteBuffer.wrap(bytes, cluster * 512, 512);
      file.read(destination, entry & 0x00ff_ffff_ffff_fe00L);
    }
    return bytes;
  }
}
