package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.Header;
import org.qcowfs.format.L1Entry;
import org.qcowfs.format.L2Entry;
import org.qcowfs.format.RefcountEntries;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Counts how often each cluster of an image file is referred to, by walking every table. Memory is
 * bounded by the size of the file and by what tables name behind its end.
 *
 * <p>Thread rules: used by one thread.
 */
public final class ReferenceCounter {
  private final BlockStorage storage;
  private final Header header;
  private final ClusterGeometry geometry;
  private final int[] counts;
  private final Map<Long, Integer> behindEnd = new HashMap<>();

  public ReferenceCounter(BlockStorage storage, Header header) throws IOException {
    this.storage = storage;
    this.header = header;
    this.geometry = header.geometry();
    long clusters = (storage.size() + geometry.clusterBytes() - 1) >>> geometry.clusterBits();
    this.counts = new int[Math.toIntExact(clusters)];
  }

  /** How often the cluster is referred to. */
  public long count(long cluster) {
    return cluster < counts.length ? counts[(int) cluster] : behindEnd.getOrDefault(cluster, 0);
  }

  /** One cluster more than the last that is referred to or lies in the file. */
  public long endCluster() {
    return behindEnd.keySet().stream()
        .mapToLong(Long::longValue)
        .map(c -> c + 1)
        .max()
        .orElse(counts.length);
  }

  /** Counts one reference of each cluster that the range touches. */
  public void add(long hostOffset, long bytes) {
    if (bytes == 0) {
      return;
    }
    long last = (hostOffset + bytes - 1) >>> geometry.clusterBits();
    for (long cluster = hostOffset >>> geometry.clusterBits(); cluster <= last; cluster++) {
      if (cluster < counts.length) {
        counts[(int) cluster]++;
      } else {
        behindEnd.merge(cluster, 1, Integer::sum);
      }
    }
  }

  /** Counts header, refcount table and blocks. */
  public void addHeaderAndRefcounts() throws IOException {
    add(0, geometry.clusterBytes());
    long tableBytes = (long) header.refcountTableClusters() << geometry.clusterBits();
    add(header.refcountTableOffset(), tableBytes);
    for (long entry : read(header.refcountTableOffset(), tableBytes)) {
      long block = RefcountEntries.blockOffset(entry);
      if (block != 0) {
        add(block, geometry.clusterBytes());
      }
    }
  }

  /** Counts an L1 table, the L2 tables it names, and every cluster that those name. */
  public void addTables(long l1TableOffset, long l1Entries) throws IOException {
    add(l1TableOffset, l1Entries * Long.BYTES);
    for (long entry : read(l1TableOffset, l1Entries * Long.BYTES)) {
      long table = L1Entry.l2TableOffset(entry);
      if (table != 0) {
        add(table, geometry.clusterBytes());
        addL2Table(table);
      }
    }
  }

  private void addL2Table(long table) throws IOException {
    long[] words = read(table, geometry.clusterBytes());
    for (int i = 0; i < words.length; i += geometry.l2EntryWords()) {
      long entry = words[i];
      int clusterBits = geometry.clusterBits();
      if (L2Entry.isCompressed(entry)) {
        add(
            L2Entry.compressedOffset(entry, clusterBits),
            L2Entry.compressedBytes(entry, clusterBits));
      } else if (L2Entry.hostOffset(entry) != 0 && !header.hasDataFile()) {
        add(L2Entry.hostOffset(entry), geometry.clusterBytes());
      }
    }
  }

  private long[] read(long hostOffset, long bytes) throws IOException {
    if (hostOffset > storage.size() - bytes) {
      throw new CorruptImageException(
          "Table", hostOffset, "%d bytes, ends past the end of the file".formatted(bytes));
    }
    ByteBuffer buffer = ByteBuffer.allocate(Math.toIntExact(bytes));
    storage.readFully(buffer, hostOffset);
    long[] words = new long[buffer.capacity() / Long.BYTES];
    buffer.flip().asLongBuffer().get(words);
    return words;
  }
}
