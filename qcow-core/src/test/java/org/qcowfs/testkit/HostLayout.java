package org.qcowfs.testkit;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Gives out the clusters of an image file in ascending order and counts references to them. */
final class HostLayout {
  /** Where the refcount table lies. */
  record RefcountTable(long hostOffset, int clusters) {}

  private static final int SECTOR_BYTES = 512;

  private final SparseBytes file;
  private final int clusterBytes;
  private final NavigableMap<Long, Long> refcounts = new TreeMap<>();
  private long end;
  private long compressedEnd;
  private long compressedLimit;

  HostLayout(SparseBytes file, int clusterBytes) {
    this.file = file;
    this.clusterBytes = clusterBytes;
    allocate(1);
  }

  /** Clusters that follow each other, with a refcount of one each. */
  long allocate(long count) {
    long hostOffset = end;
    end += count * clusterBytes;
    file.resize(Math.max(file.size(), end));
    reference(hostOffset, count * clusterBytes);
    return hostOffset;
  }

  /** As {@link #allocate}, for that many bytes. */
  long allocateBytes(long bytes) {
    return allocate(Math.max(1, (bytes + clusterBytes - 1) / clusterBytes));
  }

  /** The next cluster is given out no nearer to the start than this. */
  void skipTo(long hostOffset) {
    end = Math.max(end, hostOffset);
  }

  /** A place for compressed data: aligned to nothing, beside other compressed data. */
  long placeCompressed(int bytes) {
    long hostOffset = compressedEnd + 3;
    if (hostOffset + bytes > compressedLimit) {
      long clusters = (bytes + 3L + clusterBytes - 1) / clusterBytes;
      hostOffset = end + 3;
      end += clusters * clusterBytes;
      compressedLimit = end;
      file.resize(Math.max(file.size(), end));
    }
    compressedEnd = hostOffset + bytes;
    long firstSector = hostOffset / SECTOR_BYTES * SECTOR_BYTES;
    long sectorsEnd = (compressedEnd + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES;
    reference(firstSector, sectorsEnd - firstSector);
    return hostOffset;
  }

  /** Counts each cluster of a range once more. */
  void reference(long hostOffset, long bytes) {
    long last = (hostOffset + bytes - 1) / clusterBytes;
    for (long cluster = hostOffset / clusterBytes; cluster <= last; cluster++) {
      refcounts.merge(cluster, 1L, Long::sum);
    }
  }

  /** Writes the refcount structures, which count themselves too. Nothing is given out after. */
  RefcountTable writeRefcounts(int refcountOrder) {
    long entriesPerBlock = ((long) clusterBytes * 8) >> refcountOrder;
    long blocksAtMost = end / clusterBytes / entriesPerBlock + 2;
    long tableBytes = (blocksAtMost + blocksAtMost / entriesPerBlock) * Long.BYTES;
    long table = allocateBytes(tableBytes);
    NavigableMap<Long, Long> blocks = new TreeMap<>();
    int known;
    do {
      known = blocks.size();
      for (long cluster : refcounts.keySet().toArray(Long[]::new)) {
        blocks.computeIfAbsent(cluster / entriesPerBlock, index -> allocate(1));
      }
    } while (blocks.size() > known);
    blocks.forEach((index, block) -> file.putLong(table + index * Long.BYTES, block));
    for (Map.Entry<Long, Long> refcount : refcounts.entrySet()) {
      long block = blocks.get(refcount.getKey() / entriesPerBlock);
      putRefcount(block, refcountOrder, refcount.getKey() % entriesPerBlock, refcount.getValue());
    }
    return new RefcountTable(table, (int) ((tableBytes + clusterBytes - 1) / clusterBytes));
  }

  private void putRefcount(long block, int refcountOrder, long index, long value) {
    switch (refcountOrder) {
      case 3 -> file.putByte(block + index, (int) value);
      case 4 -> file.putShort(block + index * 2, (int) value);
      case 5 -> file.putInt(block + index * 4, (int) value);
      case 6 -> file.putLong(block + index * 8, value);
      default -> {
        long bit = index << refcountOrder;
        int old = file.read(block + bit / 8, 1)[0];
        file.putByte(block + bit / 8, old | ((int) value << (bit % 8)));
      }
    }
  }
}
