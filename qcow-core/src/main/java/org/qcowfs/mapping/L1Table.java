package org.qcowfs.mapping;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.qcowfs.format.L1Entry;
import org.qcowfs.storage.BlockStorage;

/**
 * An L1 table in memory (section "Cluster mapping").
 *
 * <p>Thread rules: entries are read without a lock. Changes are guarded by the metadata lock of the
 * image; a changed entry reaches the file with the sector that it lies in (rule R6).
 */
public final class L1Table {
  private static final VarHandle ENTRIES = MethodHandles.arrayElementVarHandle(long[].class);
  private static final int SECTOR_BYTES = 512;
  private static final int ENTRIES_PER_SECTOR = SECTOR_BYTES / Long.BYTES;

  private volatile long[] entries;

  private long hostOffset;
  private final BitSet modifiedSectors = new BitSet();
  private long requiredTicket;

  /**
   * @param entries in the machine's byte order
   * @param hostOffset where the table starts
   */
  public L1Table(long[] entries, long hostOffset) {
    this.entries = entries;
    this.hostOffset = hostOffset;
  }

  /** The entry at the index; 0 behind the last one. */
  long entry(long index) {
    long[] current = entries;
    return index < current.length ? (long) ENTRIES.getAcquire(current, (int) index) : 0;
  }

  /** Host offset of the L2 table of the entry at the index, or 0. */
  long l2TableOffset(long index) {
    return L1Entry.l2TableOffset(entry(index));
  }

  public int length() {
    return entries.length;
  }

  long hostOffsetLocked() {
    return hostOffset;
  }

  /**
   * Changes an entry, in memory.
   *
   * @param ticket what must be durable before the entry may reach the file
   */
  void setLocked(long index, long entry, long ticket) {
    ENTRIES.setRelease(entries, Math.toIntExact(index), entry);
    modifiedSectors.set((int) index / ENTRIES_PER_SECTOR);
    requiredTicket = Math.max(requiredTicket, ticket);
  }

  /** The entries as they are now, and unallocated ones up to the count. */
  long[] longerLocked(int count) {
    return java.util.Arrays.copyOf(entries, count);
  }

  /** Continues with a table that has been written elsewhere, and is the same but longer. */
  void replaceLocked(long[] longer, long newHostOffset) {
    entries = longer;
    hostOffset = newHostOffset;
    modifiedSectors.clear();
    requiredTicket = 0;
  }

  /** A sector of the table as it was when it was copied. */
  record SectorCopy(int sector, long hostOffset, ByteBuffer bytes) {}

  /** The sectors to write, and what must be durable before they are. */
  record Copies(List<SectorCopy> sectors, long requiredTicket) {}

  Copies copyLocked() {
    List<SectorCopy> copies = new ArrayList<>();
    for (int sector = modifiedSectors.nextSetBit(0);
        sector >= 0;
        sector = modifiedSectors.nextSetBit(sector + 1)) {
      int first = sector * ENTRIES_PER_SECTOR;
      ByteBuffer bytes = ByteBuffer.allocateDirect(SECTOR_BYTES);
      bytes
          .asLongBuffer()
          .put(entries, first, Math.min(ENTRIES_PER_SECTOR, entries.length - first));
      copies.add(new SectorCopy(sector, hostOffset + (long) sector * SECTOR_BYTES, bytes));
    }
    Copies result = new Copies(copies, requiredTicket);
    modifiedSectors.clear();
    requiredTicket = 0;
    return result;
  }

  static void write(Copies copies, BlockStorage storage) throws IOException {
    for (SectorCopy copy : copies.sectors()) {
      storage.write(copy.bytes().clear(), copy.hostOffset());
    }
  }

  /** After a failed write: the entries still differ from the file. */
  void failedLocked(Copies copies) {
    copies.sectors().forEach(copy -> modifiedSectors.set(copy.sector()));
    requiredTicket = Math.max(requiredTicket, copies.requiredTicket());
  }
}
