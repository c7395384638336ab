package org.qcowfs.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The 64-bit entries of the tables, and the refcounts. */
final class EntriesTest {
  @Test
  void anL1EntryKeepsBits9To55AsTheOffset() {
    assertThat(L1Entry.l2TableOffset(-1L)).isEqualTo(0x00ff_ffff_ffff_fe00L);
    assertThat(L1Entry.l2TableOffset(0x8000_0000_0004_0000L)).isEqualTo(0x40000);
    assertThat(L1Entry.l2TableOffset(0x8000_0000_0000_01ffL)).isZero();
  }

  @Test
  void anL2EntryKeepsBits9To55AsTheOffset() {
    assertThat(L2Entry.hostOffset(-1L)).isEqualTo(0x00ff_ffff_ffff_fe00L);
    assertThat(L2Entry.hostOffset(0x8000_0000_0005_0001L)).isEqualTo(0x50000);
  }

  @ParameterizedTest
  @CsvSource({
    "0x8000000000050000, true, false, false",
    "0x0000000000050000, false, false, false",
    "0x8000000000050001, true, true, false",
    "0x0000000000000001, false, true, false",
    "0x4000000000050000, false, false, true",
  })
  void theFlagsOfAnL2EntryAreBits63And0And62(
      String entry, boolean copied, boolean zero, boolean compressed) {
    long word = Long.parseUnsignedLong(entry.substring(2), 16);

    assertThat(L2Entry.isCopied(word)).isEqualTo(copied);
    assertThat(L2Entry.isZero(word)).isEqualTo(zero);
    assertThat(L2Entry.isCompressed(word)).isEqualTo(compressed);
  }

  /** Bits of the offset: 62 - (cluster_bits - 8). The rest up to bit 61 counts further sectors. */
  @ParameterizedTest
  @CsvSource({
    "9, 61, 2",
    "10, 60, 4",
    "11, 59, 8",
    "12, 58, 16",
    "13, 57, 32",
    "14, 56, 64",
    "15, 55, 128",
    "16, 54, 256",
    "17, 53, 512",
    "18, 52, 1024",
    "19, 51, 2048",
    "20, 50, 4096",
    "21, 49, 8192",
  })
  void aCompressedDescriptorIsSplitByTheClusterSize(
      int clusterBits, int offsetBits, int mostSectors) {
    long all = 0x7fff_ffff_ffff_ffffL;

    assertThat(L2Entry.compressedOffset(all, clusterBits)).isEqualTo((1L << offsetBits) - 1);
    assertThat(L2Entry.compressedBytes(all, clusterBits)).isEqualTo(mostSectors * 512 - 511);
    assertThat(L2Entry.compressedBytes(all & -512L, clusterBits)).isEqualTo(mostSectors * 512);
    assertThat(L2Entry.compressedBytes(all & -512L, clusterBits))
        .as("never more than two clusters")
        .isLessThanOrEqualTo(2 << clusterBits);
    assertThat(L2Entry.compressedBytes((1L << 62) | 0x10003, clusterBits)).isEqualTo(509);
    assertThat(L2Entry.compressedOffset((1L << 62) | 0x10003, clusterBits)).isEqualTo(0x10003);
    assertThat(L2Entry.compressedBytes((1L << 62) | (1L << offsetBits), clusterBits))
        .isEqualTo(1024);
  }

  @Test
  void subclustersAreAllocatedInTheLowHalfAndZeroInTheHighHalf() {
    long bitmap = 0x8000_0002_0000_0009L;

    assertThat(IntStream.range(0, 32).filter(i -> SubclusterBitmap.isAllocated(bitmap, i)))
        .containsExactly(0, 3);
    assertThat(IntStream.range(0, 32).filter(i -> SubclusterBitmap.isZero(bitmap, i)))
        .containsExactly(1, 31);
    assertThat(SubclusterBitmap.contradictsItself(bitmap)).isFalse();
    assertThat(SubclusterBitmap.allocatesAny(bitmap)).isTrue();
    assertThat(SubclusterBitmap.allocatesAny(0xffff_ffff_0000_0000L)).isFalse();
  }

  static IntStream subclusters() {
    return IntStream.range(0, 32);
  }

  @ParameterizedTest
  @MethodSource("subclusters")
  void aSubclusterThatIsAllocatedAndZeroIsAContradiction(int subcluster) {
    assertThat(SubclusterBitmap.contradictsItself((1L << subcluster) | (1L << (32 + subcluster))))
        .isTrue();
    assertThat(SubclusterBitmap.contradictsItself(1L << subcluster)).isFalse();
    assertThat(SubclusterBitmap.contradictsItself(1L << (32 + subcluster))).isFalse();
  }

  /** The same sixteen bytes, read at each width. */
  @ParameterizedTest
  @CsvSource({
    "0, 0:1 1:0 2:0 3:0 4:0 5:0 6:0 7:1 8:0 9:1 127:1",
    "1, 0:1 3:2 4:2 63:2",
    "2, 0:1 1:8 2:2 31:10",
    "3, 0:129 1:2 15:160",
    "4, 0:33026 7:160",
    "5, 0:2164392704 3:160",
    "6, 0:-9150748194328543232 1:160",
  })
  void refcountsOfEveryWidthLieWhereTheSpecificationPutsThem(int order, String expected) {
    ByteBuffer block =
        ByteBuffer.wrap(HexFormat.of().parseHex("81020300000000000000000000" + "0000a0"));

    for (String pair : expected.split(" ", -1)) {
      String[] parts = pair.split(":", -1);
      int index = Integer.parseInt(parts[0]);
      assertThat(RefcountEntries.get(block, order, index))
          .as("refcount %d at order %d", index, order)
          .isEqualTo(Long.parseLong(parts[1]));
    }
  }

  @Test
  void refcountsAreBigEndianWhateverTheOrderOfTheBuffer() {
    ByteBuffer block = ByteBuffer.wrap(new byte[] {1, 2}).order(ByteOrder.LITTLE_ENDIAN);

    assertThat(RefcountEntries.get(block, 4, 0)).isEqualTo(0x0102);
  }

  @Test
  void usedClustersAreCountedAmongTheFirstEntriesOnly() {
    ByteBuffer block = ByteBuffer.wrap(new byte[] {0, 1, 0, 0, 0, 2, 0, 3});

    assertThat(RefcountEntries.countUsed(block, 4, 4)).isEqualTo(3);
    assertThat(RefcountEntries.countUsed(block, 4, 3)).isEqualTo(2);
    assertThat(RefcountEntries.countUsed(block, 4, 0)).isZero();
  }

  @Test
  void aRefcountTableEntryKeepsBits9To63AsTheOffset() {
    assertThat(RefcountEntries.blockOffset(0x10000)).isEqualTo(0x10000);
    assertThat(RefcountEntries.blockOffset(0x101ff)).isEqualTo(0x10000);
  }

  @Test
  void aClusterFollowsAnotherWhereTheFlagsAreTheSameToo() {
    long copied = L2Entry.data(0x5_0000);

    assertThat(L2Entry.follows(L2Entry.data(0x6_0000), copied, 0x1_0000)).isTrue();
    assertThat(L2Entry.follows(L2Entry.data(0x7_0000), copied, 0x1_0000)).isFalse();
    assertThat(L2Entry.follows(0x6_0000, copied, 0x1_0000)).isFalse();
    assertThat(L2Entry.follows(L2Entry.zeroPreallocated(0x6_0000), copied, 0x1_0000)).isFalse();
    // What follows the last offset that there can be is a reserved bit.
    assertThat(L2Entry.follows(1L << 56, (1L << 56) - 0x1_0000, 0x1_0000)).isFalse();
    assertThat(L2Entry.follows(1L << 62 | 0x6_0000, 1L << 62 | 0x5_0000, 0x1_0000)).isFalse();
  }
}
