package org.qcowfs.alloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.Header;
import org.qcowfs.format.RefcountEntries;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.TestImage;
import org.qcowfs.testkit.storage.FaultPlan;
import org.qcowfs.testkit.storage.FaultPlan.Fault;
import org.qcowfs.testkit.storage.FaultyStorage;
import org.qcowfs.testkit.storage.MemoryStorage;

final class RefcountsTest {
  private static final int CLUSTER_BITS = 9;

  static MemoryStorage storage(TestImage image) {
    return MemoryStorage.of(image.bytes().read(0, Math.toIntExact(image.bytes().size())));
  }

  static Header header(BlockStorage storage) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Header.DECODED_BYTES);
    storage.readFully(bytes, 0);
    return Header.decode(bytes.flip());
  }

  private static TestImage image(int order) {
    return new ImageBuilder(3, CLUSTER_BITS).refcountOrder(order).build();
  }

  private static Refcounts refcounts(BlockStorage storage) throws IOException {
    return new Refcounts(storage, header(storage), 1 << 16);
  }

  @ParameterizedTest
  @EnumSource(names = {"EIO", "SHORT_WRITE", "OUT_OF_MEMORY"})
  void whatCouldNotBeWrittenIsWrittenTheNextTime(Fault fault) throws IOException {
    MemoryStorage file = storage(image(4));
    FaultPlan reads = new FaultPlan(fault, Long.MAX_VALUE, false);
    refcounts(new FaultyStorage(file, reads)).setLocked(200, 7);
    FaultPlan plan = new FaultPlan(fault, reads.operations() + 1, false);
    Refcounts refcounts = refcounts(new FaultyStorage(file, plan));
    refcounts.setLocked(200, 7);

    assertThatThrownBy(refcounts::writeModifiedLocked).hasMessageContaining("failed as planned");
    assertThat(refcounts(file).getLocked(200)).isZero();
    refcounts.writeModifiedLocked();

    assertThat(refcounts(file).getLocked(200)).isEqualTo(7);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
  void everyRefcountOfABlockIsStoredAsTheFormatHasIt(int order) throws IOException {
    TestImage image = image(order);
    MemoryStorage file = storage(image);
    Refcounts refcounts = refcounts(file);
    int perBlock = (int) refcounts.clustersPerBlock();
    long[] expected = new long[perBlock];
    SplittableRandom random = new SplittableRandom(order + 1);
    for (int pass = 0; pass < 2; pass++) {
      for (int cluster = 0; cluster < perBlock; cluster++) {
        expected[cluster] = random.nextInt(4) == 0 ? 0 : random.nextLong() & refcounts.max();
        refcounts.setLocked(cluster, expected[cluster]);
      }
    }
    refcounts.writeModifiedLocked();

    ByteBuffer block = ByteBuffer.allocate(1 << CLUSTER_BITS);
    file.readFully(block, image.bytes().getLong(image.refcountTableOffset()));
    Refcounts again = refcounts(file);
    for (int cluster = 0; cluster < perBlock; cluster++) {
      assertThat(RefcountEntries.get(block.clear(), order, cluster)).isEqualTo(expected[cluster]);
      assertThat(refcounts.getLocked(cluster)).isEqualTo(expected[cluster]);
      assertThat(again.getLocked(cluster)).isEqualTo(expected[cluster]);
    }
  }

  @Test
  void aClusterThatNoBlockCountsHasRefcountZeroAndCannotHaveAnother() throws IOException {
    Refcounts refcounts = refcounts(storage(image(4)));

    assertThat(refcounts.getLocked(1L << 40)).isZero();
    assertThatThrownBy(() -> refcounts.setLocked(1L << 40, 1))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aClusterThatNoBlockCountsIsNotFree() throws IOException {
    TestImage image = image(6);
    MemoryStorage file = storage(image);
    Refcounts refcounts = refcounts(file);
    for (int cluster = 0; cluster < 64; cluster++) {
      refcounts.setLocked(cluster, 1);
    }
    refcounts.enterBlockLocked(3, file.size());
    file.resize(file.size() + 512);

    assertThat(refcounts.nextFreeLocked(1, 1000)).isEqualTo(3 * 64);
    assertThat(refcounts.nextFreeLocked(1, 100)).isEqualTo(100);
  }

  @Test
  void aBlockThatIsNotAlignedIsRefused() throws IOException {
    TestImage image = new ImageBuilder(3, 12).build();
    image.bytes().putLong(image.refcountTableOffset(), 0x1200);
    Refcounts refcounts = refcounts(storage(image));

    assertThatThrownBy(() -> refcounts.getLocked(0))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("not aligned");
  }

  @Test
  void aTableThatEndsPastTheEndOfTheFileIsRefused() {
    TestImage image = image(4);
    image.bytes().putLong(48, 1 << 20);

    assertThatThrownBy(() -> refcounts(storage(image)))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("past the end of the file");
  }

  @Test
  @Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aSparseFileIsSearchedNoFurtherThanItsTableCounts() throws IOException {
    MemoryStorage file = storage(image(4));
    Refcounts refcounts = refcounts(file);
    long used = 20;
    refcounts.setLocked(used, 1);
    long far = 1L << 46;

    assertThat(refcounts.endOfUsedLocked(1, far)).isEqualTo(used + 1);
    assertThat(refcounts.endOfUsedLocked(used + 5, far)).isEqualTo(used + 5);
    assertThat(refcounts.nextFreeLocked(1L << 45, far)).isEqualTo(far);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
  void theNextClusterInUseIsFoundAcrossWords(int order) throws IOException {
    MemoryStorage file = storage(image(order));
    Refcounts refcounts = refcounts(file);
    long end = refcounts.clustersPerBlock();
    long first = end / 2 - 3;
    for (long cluster = first; cluster < end; cluster++) {
      refcounts.setLocked(cluster, 0);
    }
    refcounts.setLocked(end - 5, 1);
    refcounts.setLocked(end - 1, 1);

    assertThat(refcounts.nextUsedLocked(first, end)).isEqualTo(end - 5);
    assertThat(refcounts.nextUsedLocked(end - 5, end)).isEqualTo(end - 5);
    assertThat(refcounts.nextUsedLocked(end - 4, end)).isEqualTo(end - 1);
    assertThat(refcounts.nextUsedLocked(first, end - 7)).isEqualTo(end - 7);
    assertThat(refcounts.nextUsedLocked(end, end)).isEqualTo(end);
  }
}
