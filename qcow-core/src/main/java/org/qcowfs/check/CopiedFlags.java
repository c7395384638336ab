package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.TreeMap;
import java.util.function.LongUnaryOperator;
import org.qcowfs.alloc.ClusterCounts;
import org.qcowfs.format.Header;
import org.qcowfs.format.L1Entry;
import org.qcowfs.format.L2Entry;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Sets the COPIED flags of the active disk: set where the refcount is exactly one, and only there.
 *
 * <p>What survives a crash: each sector has its old or its new flags. The dirty bit must be set all
 * the while.
 *
 * <p>Thread rules: used by one thread.
 */
final class CopiedFlags {
  private static final int SECTOR_BYTES = 512;

  private final BlockStorage storage;
  private final Header header;
  private final ClusterGeometry geometry;
  private final ClusterCounts counts;
  private final TableScan scan;

  /**
   * @param counts how often each cluster is referred to
   */
  CopiedFlags(BlockStorage storage, Header header, ClusterCounts counts) {
    this.storage = storage;
    this.header = header;
    this.geometry = header.geometry();
    this.counts = counts;
    this.scan = new TableScan(storage);
  }

  /**
   * Corrects the flags, and hands them to the operating system.
   *
   * @return how many were wrong
   */
  long correct() throws IOException {
    ClusterCounts l2Tables = new ClusterCounts();
    scan.visit(
        "L1 table",
        header.l1TableOffset(),
        header.l1Entries(),
        (index, entry) -> {
          if (L1Entry.l2TableOffset(entry) != 0) {
            l2Tables.add(L1Entry.l2TableOffset(entry) >>> geometry.clusterBits(), 1);
          }
        });
    long wrong = correctTable("L1 table", header.l1TableOffset(), header.l1Entries(), 1, this::l1);
    long words = geometry.clusterBytes() / Long.BYTES;
    for (long table = l2Tables.next(0); table >= 0; table = l2Tables.next(table + 1)) {
      long offset = table << geometry.clusterBits();
      wrong += correctTable("L2 table", offset, words, geometry.l2EntryWords(), this::l2);
    }
    return wrong;
  }

  private boolean isUsedOnce(long hostOffset) {
    return counts.get(hostOffset >>> geometry.clusterBits()) == 1;
  }

  private long l1(long entry) {
    long table = L1Entry.l2TableOffset(entry);
    return table == 0 ? entry : L1Entry.withCopied(entry, isUsedOnce(table));
  }

  private long l2(long entry) {
    if (L2Entry.isCompressed(entry)) {
      return L2Entry.withCopied(entry, false);
    }
    if (L2Entry.hostOffset(entry) == 0) {
      return entry;
    }
    // What lies in an external data file has no refcount, and only the active disk has a place.
    return L2Entry.withCopied(entry, header.hasDataFile() || isUsedOnce(L2Entry.hostOffset(entry)));
  }

  private long correctTable(
      String structure, long hostOffset, long words, int entryWords, LongUnaryOperator correction)
      throws IOException {
    Corrections corrections = new Corrections(hostOffset, words);
    scan.visit(
        structure,
        hostOffset,
        words,
        (index, word) -> {
          long corrected = index % entryWords == 0 ? correction.applyAsLong(word) : word;
          if (corrected != word) {
            corrections.put(index, corrected);
          }
        });
    corrections.write();
    return corrections.count;
  }

  /** Entries of one sector at a time, in ascending order. */
  private final class Corrections {
    private final long hostOffset;
    private final long tableBytes;
    private final TreeMap<Long, Long> entries = new TreeMap<>();
    private long count;

    Corrections(long hostOffset, long words) {
      this.hostOffset = hostOffset;
      this.tableBytes = words * Long.BYTES;
    }

    void put(long index, long word) throws IOException {
      if (!entries.isEmpty() && sectorOf(entries.firstKey()) != sectorOf(index)) {
        write();
      }
      entries.put(index, word);
      count++;
    }

    private static long sectorOf(long index) {
      return index * Long.BYTES / SECTOR_BYTES;
    }

    /** A whole sector, so that a crash leaves every entry as it was or as it shall be (R6). */
    void write() throws IOException {
      if (entries.isEmpty()) {
        return;
      }
      long start = sectorOf(entries.firstKey()) * SECTOR_BYTES;
      int length = (int) Math.min(SECTOR_BYTES, tableBytes - start);
      ByteBuffer bytes = ByteBuffer.allocateDirect(length);
      storage.readFully(bytes, hostOffset + start);
      entries.forEach((index, word) -> bytes.putLong((int) (index * Long.BYTES - start), word));
      storage.write(bytes.clear(), hostOffset + start);
      entries.clear();
    }
  }
}
