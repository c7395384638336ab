package org.qcowfs.storage;

import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.StampedLock;

/**
 * Lets requests pass side by side, and now and then one that must find the file to itself: a change
 * of its size, or of how it is reached.
 *
 * <p>A readers-writer lock in lanes: a request takes the lane of its thread, which costs it two
 * uncontended exchanges of a word; a request that wants to be alone takes every lane, in order.
 *
 * <p>Thread rules: the thread that enters leaves. A request never enters twice.
 */
final class RequestGate {
  private static final int LANES = 16;

  private final Lock[] besideOthers = new Lock[LANES];
  private final Lock[] alone = new Lock[LANES];

  RequestGate() {
    for (int i = 0; i < LANES; i++) {
      StampedLock lane = new StampedLock();
      besideOthers[i] = lane.asReadLock();
      alone[i] = lane.asWriteLock();
    }
  }

  void enter() {
    besideOthers[lane()].lock();
  }

  void leave() {
    besideOthers[lane()].unlock();
  }

  /** Waits until every request has left, and keeps others out. */
  void enterAlone() {
    for (Lock lane : alone) {
      lane.lock();
    }
  }

  void leaveAlone() {
    for (Lock lane : alone) {
      lane.unlock();
    }
  }

  private static int lane() {
    return (int) Thread.currentThread().getId() & (LANES - 1);
  }
}
