package org.qcowfs.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.qcowfs.testkit.fuzz.FuzzInput;

/**
 * Fuzz target: a byte for the cluster size, one for the refcount width, one for a place in a block,
 * then words, each taken for an entry of every kind. What is set must be found again, and nothing
 * else may change.
 */
public final class EntriesFuzz {
  private static final int BLOCK_BYTES = 512;

  private EntriesFuzz() {}

  /** One case. */
  public static void fuzzerTestOneInput(byte[] data) {
    FuzzInput input = new FuzzInput(data);
    int clusterBits = input.nextIn(9, 21);
    int refcountOrder = input.nextIn(0, 6);
    int place = input.nextByte();
    while (!input.isEmpty()) {
      long word = input.nextLong();
      l1Entry(word);
      l2Entry(word, clusterBits);
      compressedEntry(word, clusterBits);
      subclusters(word, place);
      refcount(input, word, refcountOrder, place);
    }
  }

  private static void checkHostOffset(long hostOffset) {
    assertThat(hostOffset).isBetween(0L, Limits.HOST_OFFSET);
    assertThat(hostOffset % BLOCK_BYTES).isZero();
  }

  private static void l1Entry(long word) {
    long l2Table = L1Entry.l2TableOffset(word);
    checkHostOffset(l2Table);
    assertThat(L1Entry.withL2Table(word, l2Table)).isEqualTo(word);
    assertThat(L1Entry.withCopied(word, L1Entry.isCopied(word))).isEqualTo(word);
    assertThat(L1Entry.reservedBits(word) | L1Entry.of(l2Table) | word).isEqualTo(word | 1L << 63);
  }

  private static void l2Entry(long word, int clusterBits) {
    long hostOffset = L2Entry.hostOffset(word);
    checkHostOffset(hostOffset);
    assertThat(L2Entry.withHostOffset(word, hostOffset)).isEqualTo(word);
    assertThat(L2Entry.withCopied(word, L2Entry.isCopied(word))).isEqualTo(word);
    assertThat(L2Entry.hostOffset(L2Entry.data(hostOffset))).isEqualTo(hostOffset);
    assertThat(L2Entry.isZero(L2Entry.zeroPreallocated(hostOffset))).isTrue();
    assertThat(L2Entry.reservedBits(word) & (hostOffset | 1L << clusterBits)).isZero();
  }

  private static void compressedEntry(long word, int clusterBits) {
    long hostOffset = L2Entry.compressedOffset(word, clusterBits);
    int bytes = L2Entry.compressedBytes(word, clusterBits);
    assertThat(hostOffset).isBetween(0L, (1L << 61) - 1);
    assertThat(bytes).isBetween(1, 2 << clusterBits);
    assertThat(L2Entry.withCompressedOffset(word, clusterBits, hostOffset)).isEqualTo(word);
    long same = L2Entry.withCompressedBytes(word, clusterBits, bytes);
    assertThat(L2Entry.compressedBytes(same, clusterBits)).isEqualTo(bytes);
    assertThat(same).isEqualTo(word);
  }

  private static void subclusters(long bitmap, int place) {
    int first = place % 32;
    int end = first + place / 32 % (32 - first) + 1;
    long written = SubclusterBitmap.withAllocated(bitmap, first, end);
    for (int i = 0; i < 32; i++) {
      boolean isWritten = i >= first && i < end;
      assertThat(SubclusterBitmap.isAllocated(written, i))
          .isEqualTo(isWritten || SubclusterBitmap.isAllocated(bitmap, i));
      assertThat(SubclusterBitmap.isZero(written, i))
          .isEqualTo(!isWritten && SubclusterBitmap.isZero(bitmap, i));
    }
    if (!SubclusterBitmap.contradictsItself(bitmap)) {
      assertThat(SubclusterBitmap.contradictsItself(written)).isFalse();
    }
  }

  private static void refcount(FuzzInput input, long word, int refcountOrder, int place) {
    assertThat(RefcountEntries.blockOffset(word) | RefcountEntries.reservedBits(word))
        .isEqualTo(word);
    ByteBuffer block = ByteBuffer.wrap(input.next(BLOCK_BYTES));
    ByteBuffer before = ByteBuffer.allocate(BLOCK_BYTES).put(block.duplicate()).flip();
    int entries = (BLOCK_BYTES * Byte.SIZE) >>> refcountOrder;
    int index = place * entries / 256;
    long value = refcountOrder == 6 ? word : word & ((1L << (1 << refcountOrder)) - 1);
    RefcountEntries.put(block, refcountOrder, index, value);
    assertThat(RefcountEntries.get(block, refcountOrder, index)).isEqualTo(value);
    long old = RefcountEntries.get(before, refcountOrder, index);
    RefcountEntries.put(block, refcountOrder, index, old);
    assertThat(block).isEqualTo(before);
    assertThat(RefcountEntries.countUsed(block, refcountOrder, entries)).isBetween(0, entries);
  }
}
