package org.qcowfs.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.qcowfs.storage.BlockStorage;

/**
 * Keeps slices of metadata tables of the files of a backing chain, in a bounded amount of memory.
 *
 * <p>Thread rules: {@link #get} may be called by any number of threads. A hit takes no lock. A miss
 * loads under one of a few locks that only other misses take, so that a slice is loaded once. What
 * changes slices holds the metadata lock of the image.
 *
 * <p>Invariant: of the slices with a key, at most one is ever given out as long as it is modified:
 * a modified slice is pinned, and a miss looks among the pinned ones before it loads.
 */
public final class TableCache {
  /** Slices are this long where the table is; a multiple of what disks and the page cache like. */
  public static final int SLICE_BYTES = 4096;

  /** How much of a slice is read for a look that leaves the cache as it is. */
  private static final int PIECE_BYTES = 512;

  private static final int WAYS = 8;

  /**
   * A cache takes at most this part of the heap, and as much again for what is modified. An image
   * that is written has two caches, and requests need memory too.
   */
  private static final int HEAP_SHARE = 8;

  private static final int LOADER_LOCKS = 32;

  /** Host offsets need 56 bits of a key, and slices are aligned to at least 512 bytes. */
  private static final int FILE_SHIFT = 56;

  private static final ThreadLocal<ByteBuffer> SCRATCH =
      ThreadLocal.withInitial(
          () -> ByteBuffer.allocateDirect(SLICE_BYTES).order(ByteOrder.BIG_ENDIAN));

  private static final ThreadLocal<TableSlice> PIECE = ThreadLocal.withInitial(TableSlice::piece);

  private final AtomicReferenceArray<@Nullable TableSlice> slices;

  /**
   * For each set the key that was looked at last without being kept. Guarded by its loader lock.
   */
  private final long[] passedBy;

  private final int setMask;
  private final long capacity;
  private final Object[] loaderLocks = new Object[LOADER_LOCKS];
  private final ConcurrentHashMap<Long, TableSlice> pinned = new ConcurrentHashMap<>();
  private volatile int clock;

  /**
   * @param maxBytes memory for slices that are not modified; at least one set is kept, and at most
   *     what an eighth of the heap holds
   */
  public TableCache(long maxBytes) {
    this(maxBytes, Runtime.getRuntime().maxMemory());
  }

  /** As {@link #TableCache(long)}, with a heap of so many bytes. */
  TableCache(long maxBytes, long heapBytes) {
    long sets = Math.max(1, Math.min(maxBytes, heapBytes / HEAP_SHARE) / SLICE_BYTES / WAYS);
    int setCount = Integer.highestOneBit((int) Math.min(sets, 1 << 20));
    slices = new AtomicReferenceArray<>(setCount * WAYS);
    passedBy = new long[setCount];
    Arrays.fill(passedBy, -1);
    setMask = setCount - 1;
    capacity = (long) setCount * WAYS;
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
    long key = key(fileIndex, hostOffset);
    int set = setOf(key);
    TableSlice hit = find(set, key);
    if (hit != null) {
      return hit;
    }
    synchronized (loaderLocks[set % LOADER_LOCKS]) {
      return findOrLoad(storage, set, key, hostOffset, bytes);
    }
  }

  /**
   * As {@link #get}, but for one look from a word on. Where the cache has no room left, a slice
   * takes the place of another one only at the second look at it in a row: who reads here and there
   * in tables that do not fit would otherwise load slices, each for one entry, and drop them again.
   *
   * @param wordIndex the first word that is looked at; those before it need not be there
   * @return to be used until this thread looks again, by this thread only; may end before the slice
   *     does, at a multiple of 64 words
   */
  public TableSlice look(
      BlockStorage storage, int fileIndex, long hostOffset, int bytes, int wordIndex)
      throws IOException {
    long key = key(fileIndex, hostOffset);
    int set = setOf(key);
    TableSlice hit = find(set, key);
    if (hit != null) {
      return hit;
    }
    synchronized (loaderLocks[set % LOADER_LOCKS]) {
      TableSlice loadedMeanwhile = find(set, key);
      if (loadedMeanwhile != null) {
        return loadedMeanwhile;
      }
      if (passedBy[set] == key || hasRoom(set)) {
        return load(storage, set, key, hostOffset, bytes);
      }
      passedBy[set] = key;
      return piece(storage, hostOffset, bytes, wordIndex);
    }
  }

  /**
   * As {@link #get}, and pins the slice: it stays the only one of its key until it has been written
   * and {@link #unpinLocked}.
   */
  public TableSlice getForUpdateLocked(
      BlockStorage storage, int fileIndex, long hostOffset, int bytes) throws IOException {
    long key = key(fileIndex, hostOffset);
    int set = setOf(key);
    TableSlice already = pinned.get(key);
    if (already != null) {
      return already;
    }
    synchronized (loaderLocks[set % LOADER_LOCKS]) {
      TableSlice slice = findOrLoad(storage, set, key, hostOffset, bytes);
      pinned.put(key, slice);
      return slice;
    }
  }

  /** The slices that differ from the file, in the order of their host offsets. */
  List<TableSlice> modifiedLocked() {
    return pinned.values().stream()
        .filter(slice -> slice.modified)
        .sorted(Comparator.comparingLong(TableSlice::hostOffset))
        .toList();
  }

  /** Lets the slice go, unless it has been modified again. */
  void unpinLocked(TableSlice slice) {
    if (slice.modified || pinned.get(slice.key()) != slice) {
      return;
    }
    int set = setOf(slice.key());
    synchronized (loaderLocks[set % LOADER_LOCKS]) {
      if (findInWays(set, slice.key()) == null) {
        slices.setRelease(set * WAYS + victimOf(set), slice);
      }
      pinned.remove(slice.key());
    }
  }

  /** Forgets slices whose place in the file now belongs to something else. */
  public void forgetLocked(int fileIndex, long hostOffset, long bytes, int sliceBytes) {
    for (long offset = hostOffset; offset < hostOffset + bytes; offset += sliceBytes) {
      long key = key(fileIndex, offset);
      int set = setOf(key);
      synchronized (loaderLocks[set % LOADER_LOCKS]) {
        TableSlice dropped = pinned.remove(key);
        if (dropped != null) {
          dropped.modified = false;
        }
        for (int way = 0; way < WAYS; way++) {
          TableSlice slice = slices.getPlain(set * WAYS + way);
          if (slice != null && slice.key() == key) {
            slices.setRelease(set * WAYS + way, null);
          }
        }
      }
    }
  }

  /** Whether more slices are pinned than the cache was meant to keep. */
  public boolean isUnderPressure() {
    return pinned.size() > capacity;
  }

  private static long key(int fileIndex, long hostOffset) {
    return (long) fileIndex << FILE_SHIFT | hostOffset;
  }

  private @Nullable TableSlice find(int set, long key) {
    TableSlice slice = findInWays(set, key);
    return slice != null ? slice : pinned.isEmpty() ? null : pinned.get(key);
  }

  private @Nullable TableSlice findInWays(int set, long key) {
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

  private TableSlice findOrLoad(BlockStorage storage, int set, long key, long hostOffset, int bytes)
      throws IOException {
    TableSlice loadedMeanwhile = find(set, key);
    return loadedMeanwhile != null ? loadedMeanwhile : load(storage, set, key, hostOffset, bytes);
  }

  private TableSlice load(BlockStorage storage, int set, long key, long hostOffset, int bytes)
      throws IOException {
    ByteBuffer scratch = SCRATCH.get().clear().limit(bytes);
    storage.readFully(scratch, hostOffset);
    long[] words = new long[bytes / Long.BYTES];
    scratch.flip().order(ByteOrder.BIG_ENDIAN).asLongBuffer().get(words);
    TableSlice loaded = new TableSlice(key, hostOffset, words);
    loaded.lastUse = tick();
    slices.setRelease(set * WAYS + victimOf(set), loaded);
    return loaded;
  }

  /** What the file has there. Under the loader lock: so nobody has changed it in the cache. */
  private static TableSlice piece(BlockStorage storage, long hostOffset, int bytes, int wordIndex)
      throws IOException {
    int start = wordIndex * Long.BYTES / PIECE_BYTES * PIECE_BYTES;
    ByteBuffer scratch = SCRATCH.get().clear().limit(Math.min(PIECE_BYTES, bytes - start));
    storage.readFully(scratch, hostOffset + start);
    return PIECE.get().refill(start / Long.BYTES, scratch.flip());
  }

  private boolean hasRoom(int set) {
    for (int way = 0; way < WAYS; way++) {
      if (slices.getPlain(set * WAYS + way) == null) {
        return true;
      }
    }
    return false;
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
