package org.qcowfs.storage;

import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.StampedLock;

/**
 * Keeps writers around the page cache from undoing each other. Such a write is whole blocks; one
 * that covers a block in part must read the block and write it back, and what another writer put
 * there in between would be lost.
 *
 * <p>Invariant: whoever writes any byte of a block holds the block's stripe meanwhile: together
 * with others if it replaces the whole block, exclusively from before it reads the block until it
 * has written it back. So no byte changes between the read and the write of the same block, whether
 * the other writer covers the block or not. Readers hold nothing.
 *
 * <p>Neighbouring blocks share a stripe. Stripes are taken in ascending order, all at once, and
 * nobody who holds one asks for more: no two writers wait for each other.
 */
final class BlockStripes {
  private static final int COUNT = 64;
  private static final int NONE = -1;

  /** Blocks are at most as large as this. */
  private static final int REGION_BITS = 16;

  private final Lock[] shared = new Lock[COUNT];
  private final Lock[] exclusive = new Lock[COUNT];

  BlockStripes() {
    for (int i = 0; i < COUNT; i++) {
      StampedLock stripe = new StampedLock();
      shared[i] = stripe.asReadLock();
      exclusive[i] = stripe.asWriteLock();
    }
  }

  /**
   * @param hostOffset start of the first block
   * @param hostEnd end of the last block, behind the start
   * @param partialHead whether the first block is read and written back
   * @param partialTail whether the last block is
   */
  void lock(long hostOffset, long hostEnd, boolean partialHead, boolean partialTail) {
    int first = stripe(hostOffset);
    int count = count(hostOffset, hostEnd);
    int head = partialHead ? first : NONE;
    int tail = partialTail ? stripe(hostEnd - 1) : NONE;
    for (int i = 0; i < first + count - COUNT; i++) {
      side(i, head, tail).lock();
    }
    for (int i = first; i < Math.min(first + count, COUNT); i++) {
      side(i, head, tail).lock();
    }
  }

  /** Gives back what {@link #lock} with the same arguments took. */
  void unlock(long hostOffset, long hostEnd, boolean partialHead, boolean partialTail) {
    int first = stripe(hostOffset);
    int count = count(hostOffset, hostEnd);
    int head = partialHead ? first : NONE;
    int tail = partialTail ? stripe(hostEnd - 1) : NONE;
    for (int i = 0; i < first + count - COUNT; i++) {
      side(i, head, tail).unlock();
    }
    for (int i = first; i < Math.min(first + count, COUNT); i++) {
      side(i, head, tail).unlock();
    }
  }

  private Lock side(int stripe, int head, int tail) {
    return stripe == head || stripe == tail ? exclusive[stripe] : shared[stripe];
  }

  private static int stripe(long hostOffset) {
    return (int) (hostOffset >>> REGION_BITS) & (COUNT - 1);
  }

  private static int count(long hostOffset, long hostEnd) {
    long regions = ((hostEnd - 1) >>> REGION_BITS) - (hostOffset >>> REGION_BITS) + 1;
    return (int) Math.min(regions, COUNT);
  }
}
