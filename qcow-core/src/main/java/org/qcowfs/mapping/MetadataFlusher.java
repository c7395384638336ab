package org.qcowfs.mapping;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import org.qcowfs.cache.TableWriter;

/**
 * Brings modified metadata to the file, in an order in which no crash can hurt, and drops
 * references to clusters once nothing durable points to them.
 *
 * <p>Invariant (R1, R3, R4, R5): an L2 slice or L1 sector is written only when what it requires is
 * durable. Invariant (R2): a refcount drops only when the entry that pointed to the cluster has
 * been overwritten durably, and no request is left that looked it up before.
 *
 * <p>Thread rules: any number of threads; one write-out at a time. Callers must not be inside the
 * request gate, nor hold the metadata lock.
 */
final class MetadataFlusher {
  private final WriteContext context;
  private final TableWriter l2Writer;
  private final boolean punchFreed;

  /**
   * @param punchFreed whether the host file gives up the space of freed clusters
   */
  MetadataFlusher(WriteContext context, boolean punchFreed) {
    this.punchFreed = punchFreed;
    this.context = context;
    this.l2Writer = new TableWriter(context.l2Cache(), context.image());
  }

  private record Copies(TableWriter.Copies l2, L1Table.Copies l1, List<FreedClusters.Range> freed) {
    boolean isEmpty() {
      return l2.isEmpty() && l1.sectors().isEmpty();
    }
  }

  /** Flush-to-OS: afterwards the image survives the death of this process. */
  synchronized void flushToOs() throws IOException {
    Copies copies = copy();
    if (!copies.isEmpty()) {
      writeInOrder(copies);
    }
    context.metadataLock().lock();
    try {
      l2Writer.doneLocked(copies.l2());
      context.freed().writtenLocked(copies.freed(), context.clock().ticket());
    } finally {
      context.metadataLock().unlock();
    }
    dropSettledReferences();
  }

  /** Flush-to-disk: afterwards the image also survives a power loss. */
  void flushToDisk() throws IOException {
    flushToOs();
    context.clock().flushToDisk();
    dropSettledReferences();
  }

  private Copies copy() throws IOException {
    context.metadataLock().lock();
    try {
      context.space().checkWhole();
      context.header().makeCertainLocked();
      context.space().topUpLocked();
      context.space().writeRefcountsLocked();
      for (FreedClusters.Range range : context.freed().unwrittenLocked()) {
        context.space().noteLeakOfLocked(range.hostOffset(), range.bytes());
      }
      return takeLocked();
    } finally {
      context.metadataLock().unlock();
    }
  }

  private Copies takeLocked() {
    TableWriter.Copies l2 = l2Writer.copyLocked();
    boolean taken = false;
    try {
      L1Table.Copies l1 = context.l1Table().copyLocked();
      taken = true;
      return new Copies(l2, l1, context.freed().takeLocked());
    } finally {
      if (!taken) {
        l2Writer.failedLocked(l2);
      }
    }
  }

  private void writeInOrder(Copies copies) throws IOException {
    boolean written = false;
    try {
      context.clock().settle(Math.max(copies.l2().requiredTicket(), copies.l1().requiredTicket()));
      l2Writer.write(copies.l2());
      L1Table.write(copies.l1(), context.image());
      written = true;
    } finally {
      if (!written) {
        putBack(copies);
      }
    }
  }

  private void putBack(Copies copies) {
    context.metadataLock().lock();
    try {
      l2Writer.failedLocked(copies.l2());
      context.l1Table().failedLocked(copies.l1());
      context.freed().putBackLocked(copies.freed());
    } finally {
      context.metadataLock().unlock();
    }
  }

  private synchronized void dropSettledReferences() throws IOException {
    List<FreedClusters.Range> settled;
    context.metadataLock().lock();
    try {
      settled = context.freed().takeSettledLocked(context.clock()::isSettled);
      if (settled.isEmpty()) {
        context.space().dropReferencesLocked();
        return;
      }
    } finally {
      context.metadataLock().unlock();
    }
    boolean left = false;
    try {
      context.gate().awaitThoseInside();
      left = true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while requests were under way");
    } finally {
      drop(settled, left);
    }
  }

  /**
   * @param unused whether no request is left that could use the ranges; else they stay for later
   */
  private void drop(List<FreedClusters.Range> settled, boolean unused) throws IOException {
    context.metadataLock().lock();
    try {
      if (!unused) {
        context.freed().putBackSettledLocked(settled);
        return;
      }
      for (FreedClusters.Range range : settled) {
        boolean shared = range.kind() == FreedClusters.Kind.SHARED;
        context.space().releaseLocked(range.hostOffset(), range.bytes(), punchFreed, shared);
      }
      context.space().dropReferencesLocked();
    } finally {
      context.metadataLock().unlock();
    }
  }
}
