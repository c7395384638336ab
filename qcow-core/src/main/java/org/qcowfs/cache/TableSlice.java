package org.qcowfs.cache;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * A piece of a metadata table in memory: consecutive 64-bit words of the host file, in the
 * machine's byte order.
 *
 * <p>Thread rules: every word is read and written whole, so a reader of one word needs no lock. A
 * reader of words that belong together asks for {@link #stamp} before and {@link #isValid} after.
 * Writers hold the metadata lock of the image.
 */
public final class TableSlice {
  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

  private final long key;
  private final long hostOffset;
  private final long[] words;

  /** When the slice was last used, by the clock of its cache. Racy: it only guides eviction. */
  int lastUse;

  /** Differs from the file. Guarded by the metadata lock. */
  boolean modified;

  /** What must be durable before the slice may be written. Guarded by the metadata lock. */
  long requiredTicket;

  private int wordCount;
  private volatile int version;

  TableSlice(long key, long hostOffset, long[] words) {
    this.key = key;
    this.hostOffset = hostOffset;
    this.words = words;
    this.wordCount = words.length;
  }

  /** A slice that takes what one thread looks at, and belongs to no cache. */
  static TableSlice piece() {
    return new TableSlice(-1, -1, new long[TableCache.SLICE_BYTES / Long.BYTES]);
  }

  /** Takes the buffer's remaining words, which are big-endian, from an index on. */
  TableSlice refill(int index, ByteBuffer bytes) {
    wordCount = index;
    while (bytes.hasRemaining()) {
      words[wordCount++] = bytes.getLong();
    }
    return this;
  }

  long key() {
    return key;
  }

  long hostOffset() {
    return hostOffset;
  }

  /** The word at the index; 0 is the first of the slice. */
  public long word(int index) {
    return (long) WORDS.getAcquire(words, index);
  }

  public int wordCount() {
    return wordCount;
  }

  /** Changes a word. The slice must have been got for update. */
  public void set(int index, long word, long ticket) {
    WORDS.setRelease(words, index, word);
    modified = true;
    requiredTicket = Math.max(requiredTicket, ticket);
  }

  /**
   * Changes two neighbouring words that belong together. The slice must have been got for update.
   */
  @SuppressWarnings("NonAtomicVolatileUpdate") // writers exclude each other by the metadata lock
  public void setPair(int index, long first, long second, long ticket) {
    version++;
    VarHandle.fullFence();
    set(index, first, ticket);
    set(index + 1, second, ticket);
    version++;
  }

  /** To be handed to {@link #isValid}; odd while words that belong together are being changed. */
  public int stamp() {
    return version;
  }

  /** Whether words read since the stamp was taken belong together. */
  public boolean isValid(int stamp) {
    VarHandle.acquireFence();
    return (stamp & 1) == 0 && version == stamp;
  }

  void copyTo(java.nio.LongBuffer destination) {
    destination.put(words);
  }
}
