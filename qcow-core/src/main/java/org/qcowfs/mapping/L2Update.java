package org.qcowfs.mapping;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.alloc.HostSpace;
import org.qcowfs.alloc.MetadataClusters.Kind;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.cache.TableCache;
import org.qcowfs.cache.TableSlice;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.L1Entry;
import org.qcowfs.format.L2Entry;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Reads and changes entries of the L2 tables of the active disk, and makes tables where there are
 * none or where a snapshot shares them.
 *
 * <p>Thread rules: guarded by the metadata lock of the image.
 */
final class L2Update {
  private final BlockStorage storage;
  private final ClusterGeometry geometry;
  private final L1Table l1Table;
  private final TableCache cache;
  private final HostSpace space;
  private final DurabilityClock clock;
  private final FreedClusters freed;
  private final int sliceBytes;

  L2Update(
      BlockStorage storage,
      ClusterGeometry geometry,
      L1Table l1Table,
      TableCache cache,
      HostSpace space,
      DurabilityClock clock,
      FreedClusters freed) {
    this.storage = storage;
    this.geometry = geometry;
    this.l1Table = l1Table;
    this.cache = cache;
    this.space = space;
    this.clock = clock;
    this.freed = freed;
    this.sliceBytes = Math.min(geometry.clusterBytes(), TableCache.SLICE_BYTES);
  }

  /** Whether an L2 table describes the cluster at all. */
  boolean hasTableLocked(long guestOffset) {
    return l1Table.l2TableOffset(geometry.l1Index(guestOffset)) != 0;
  }

  /** The entry of the cluster; unallocated where there is no table. */
  long entryLocked(long guestOffset) throws IOException {
    return hasTableLocked(guestOffset)
        ? slice(guestOffset, false).word(wordIndex(guestOffset))
        : L2Entry.UNALLOCATED;
  }

  /** The subcluster bitmap of the cluster; 0 where entries are not extended. */
  long bitmapLocked(long guestOffset) throws IOException {
    return geometry.extendedL2() && hasTableLocked(guestOffset)
        ? slice(guestOffset, false).word(wordIndex(guestOffset) + 1)
        : 0;
  }

  /**
   * Makes sure that the cluster has a table of its own, which can be changed.
   *
   * @throws IOException when there is no room for one; nothing has changed then
   */
  void prepareTableLocked(long guestOffset) throws IOException {
    long l1Index = geometry.l1Index(guestOffset);
    long entry = l1Table.entry(l1Index);
    long old = L1Entry.l2TableOffset(entry);
    checkAligned(l1Index, old);
    if (old != 0 && L1Entry.isCopied(entry)) {
      checkNotShared(l1Index, old);
      return;
    }
    HostSpace.Allocation table = space.allocateLocked(1);
    boolean linked = false;
    try {
      // Writing a table back must not fail for want of space after its data was acknowledged.
      space.secureSpace(table.hostOffset(), geometry.clusterBytes());
      cache.forgetLocked(0, table.hostOffset(), geometry.clusterBytes(), sliceBytes);
      long ticket = old == 0 ? table.ticket() : copyTable(old, table);
      space.metadata().addLocked(Kind.L2_TABLE, table.hostOffset(), geometry.clusterBytes());
      l1Table.setLocked(l1Index, L1Entry.of(table.hostOffset()), ticket);
      linked = true;
    } finally {
      if (!linked) {
        space.metadata().giveUpLocked(table.hostOffset(), geometry.clusterBytes());
        freed.addLocked(table.hostOffset(), geometry.clusterBytes());
      }
    }
    if (old != 0) {
      space.metadata().giveUpLocked(old, geometry.clusterBytes());
      freed.addLocked(old, geometry.clusterBytes(), FreedClusters.Kind.SHARED);
    }
  }

  private void checkAligned(long l1Index, long l2TableOffset) throws CorruptImageException {
    if (!geometry.isClusterAligned(l2TableOffset)) {
      throw CorruptImageException.ofMetadata(
          "L2 table",
          l2TableOffset,
          "the offset in L1 entry %d is not aligned to a cluster".formatted(l1Index));
    }
  }

  /** A change in its place would change the snapshot too. */
  private void checkNotShared(long l1Index, long l2TableOffset) throws CorruptImageException {
    if (space.metadata().kindOf(l2TableOffset >>> geometry.clusterBits())
        == Kind.SNAPSHOT_L2_TABLE) {
      throw CorruptImageException.ofMetadata(
          "L2 table",
          l2TableOffset,
          "L1 entry %d has the COPIED flag, but an internal snapshot shares the table"
              .formatted(l1Index));
    }
  }

  /**
   * Copies a table that a snapshot shares; the copy must be durable before anything points to it.
   */
  private long copyTable(long old, HostSpace.Allocation copy) throws IOException {
    ByteBuffer table = ByteBuffer.allocateDirect(geometry.clusterBytes());
    try {
      storage.readFully(table, old);
    } catch (EOFException e) {
      throw new CorruptImageException("L2 table", old, "lies past the end of the file");
    }
    storage.write(table.flip(), copy.hostOffset());
    return Math.max(copy.ticket(), clock.ticket());
  }

  /**
   * Changes the entry of a cluster whose table has been prepared.
   *
   * @param bitmap the subcluster bitmap, where entries are extended
   * @param ticket what must be durable before the entry may reach the file
   */
  void setLocked(long guestOffset, long entry, long bitmap, long ticket) throws IOException {
    TableSlice slice = slice(guestOffset, true);
    if (geometry.extendedL2()) {
      slice.setPair(wordIndex(guestOffset), entry, bitmap, ticket);
    } else {
      slice.set(wordIndex(guestOffset), entry, ticket);
    }
  }

  /**
   * Keeps the entries of a cluster, whose table has been prepared, and those of its neighbours up
   * to the end of the slice in memory: changing them takes nothing from the host then.
   */
  void pinLocked(long guestOffset) throws IOException {
    var unused = slice(guestOffset, true);
  }

  private TableSlice slice(long guestOffset, boolean update) throws IOException {
    long table = l1Table.l2TableOffset(geometry.l1Index(guestOffset));
    long offset = table + byteInTable(guestOffset) / sliceBytes * sliceBytes;
    try {
      return update
          ? cache.getForUpdateLocked(storage, 0, offset, sliceBytes)
          : cache.get(storage, 0, offset, sliceBytes);
    } catch (EOFException e) {
      throw new CorruptImageException("L2 table", table, "lies past the end of the file");
    }
  }

  private long byteInTable(long guestOffset) {
    return (long) geometry.l2Index(guestOffset) * geometry.l2EntryWords() * Long.BYTES;
  }

  private int wordIndex(long guestOffset) {
    return (int) (byteInTable(guestOffset) % sliceBytes) / Long.BYTES;
  }
}
