package org.qcowfs.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.qcowfs.storage.BlockStorage;

/**
 * Keeps slices of metadata tables of the files of a backing chain, in a bounded amount of memory.
 *
 * <p>Thread rules: {@link #get} may be called by any number of threads. A hit takes no lock. A miss
 * loads under one of a few locks that only other misses take, so that a slice is loaded once.
 *
 * <p>Invariant: a slice is in the cache at most once, in the set that its key belongs to.
 */
public final class TableCache {
  /** Slices are this long where the table is; a multiple of what disks and the page cache like. */
  public static final int SLICE_BYTES = 4096;

  private static final int WAYS = 8;
  private static final int LOADER_LOCKS = 32;

  /** Host offsets need 56 bits of a key, and slices are aligned to at least 512 bytes. */
  private static final int FILE_SHIFT = 56;

  private static final ThreadLocal<ByteBuffer> SCRATCH =
      ThreadLocal.withInitial(
          () -> ByteBuffer.allocateDirect(SLICE_BYTES).order(ByteOrder.BIG_ENDIAN));

  private final AtomicReferenceArray<@Nullable TableSlice> slices;
  private final int setMask;
  private final Object[] loaderLocks = new Object[LOADER_LOCKS];
  private volatile int clock;

  /**
   * @param maxBytes memory for slices; at least one set is kept
   */
  public TableCache(long maxBytes) {
    long sets = Math.max(1, maxBytes / SLICE_BYTES / WAYS);
    int setCount = Integer.highestOneBit((int) Math.min(sets, 1 << 20));
    slices = new AtomicReferenceArray<>(setCount * WAYS);
    setMask = setCount - 1;
    for (int i = 0; i < LOADER_LOCKS; i++) {
      loaderLocks[i] = new Object();
    }
  }

  /**
   * The slice that starts at the host offset, loaded if it must be.
   *
   * @param fileIndex which file of the chain, 0 to 127
   * @param hostOffset aligned to the length of the slice
   * @param bytes length of the slice: the same at every call for the offset, at most {@link
   *     #SLICE_BYTES}
   * @throws java.io.EOFException when the file ends before the slice does
   */
  public TableSlice get(BlockStorage storage, int fileIndex, long hostOffset, int bytes)
      throws IOException {
    long key = (long) fileIndex << FILE_SHIFT | hostOffset;
    int set = setOf(key);
    TableSlice hit = find(set, key);
    return hit != null ? hit : load(storage, set, key, hostOffset, bytes);
  }

  private @Nullable TableSlice find(int set, long key) {
    for (int way = 0; way < WAYS; way++) {
      TableSlice slice = slices.getAcquire(set * WAYS + way);
      if (slice != null && slice.key() == key) {
        int now = clock;
        if (slice.lastUse != now) {
          slice.lastUse = now;
        }
        return slice;
      }
    }
    return null;
  }

  private TableSlice load(BlockStorage storage, int set, long key, long hostOffset, int bytes)
      throws IOException {
    synchronized (loaderLocks[set % LOADER_LOCKS]) {
      TableSlice loadedMeanwhile = find(set, key);
      if (loadedMeanwhile != null) {
        return loadedMeanwhile;
      }
      ByteBuffer scratch = SCRATCH.get().clear().limit(bytes);
      storage.readFully(scratch, hostOffset);
      long[] words = new long[bytes / Long.BYTES];
      scratch.flip().order(ByteOrder.BIG_ENDIAN).asLongBuffer().get(words);
      TableSlice loaded = new TableSlice(key, words);
      loaded.lastUse = tick();
      slices.setRelease(set * WAYS + victimOf(set), loaded);
      return loaded;
    }
  }

  /** One step a load: what was used since the last loads counts as used just now. */
  @SuppressWarnings(
      "NonAtomicVolatileUpdate") // a lost step only makes eviction a little less exact
  private int tick() {
    return ++clock;
  }

  private int victimOf(int set) {
    int victim = 0;
    int oldest = -1;
    int now = clock;
    for (int way = 0; way < WAYS; way++) {
      TableSlice slice = slices.getPlain(set * WAYS + way);
      if (slice == null) {
        return way;
      }
      int age = now - slice.lastUse;
      if (age > oldest) {
        oldest = age;
        victim = way;
      }
    }
    return victim;
  }

  private int setOf(long key) {
    long mixed = (key >>> 9) * 0x9e37_79b9_7f4a_7c15L;
    return (int) (mixed >>> 40) & setMask;
  }
}
