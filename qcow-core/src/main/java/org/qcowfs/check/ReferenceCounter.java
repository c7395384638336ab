package org.qcowfs.check;

import java.io.IOException;
import org.qcowfs.alloc.ClusterCounts;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.format.L1Entry;
import org.qcowfs.format.L2Entry;
import org.qcowfs.format.RefcountEntries;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Counts how often each cluster of an image file is referred to, by walking every table. An L2
 * table is walked once, however many L1 tables share it. So time is bounded by the tables that the
 * file really holds, and so is memory.
 *
 * <p>Invariant: what is counted as a structure belongs to it alone, and an L2 table is nothing
 * else: an image where that does not hold is refused.
 *
 * <p>Thread rules: used by one thread.
 */
public final class ReferenceCounter {
  /** How far behind the end of the file data may lie that a crash kept from being written. */
  private static final long MAX_LOST_BYTES = 1L << 30;

  private final BlockStorage storage;
  private final Header header;
  private final ClusterGeometry geometry;
  private final TableScan scan;
  private final long fileEnd;
  private final ClusterCounts counts = new ClusterCounts();
  private final ClusterCounts structures = new ClusterCounts();
  private final ClusterCounts l2Tables = new ClusterCounts();
  private final ClusterCounts compressed = new ClusterCounts();

  public ReferenceCounter(BlockStorage storage, Header header) throws IOException {
    this.storage = storage;
    this.header = header;
    this.geometry = header.geometry();
    this.scan = new TableScan(storage);
    this.fileEnd = clusterBehind(storage.size());
  }

  /**
   * Counts everything: the active disk, the internal snapshots, the bitmaps, and the structures.
   *
   * @throws CorruptImageException when a table is malformed
   */
  static ReferenceCounter ofWholeImage(
      BlockStorage storage, Header header, HeaderExtensions extensions) throws IOException {
    ReferenceCounter references = new ReferenceCounter(storage, header);
    // Structures first: what is only data must not lie on any of them.
    references.addHeaderAndRefcounts();
    references.addL1Table(header.l1TableOffset(), header.l1Entries());
    SnapshotReferences.addTo(references, storage, header);
    BitmapReferences bitmaps = new BitmapReferences(references, storage, header, extensions);
    references.addL2Tables();
    bitmaps.addData();
    return references;
  }

  private long clusterBehind(long hostOffset) {
    return (hostOffset + geometry.clusterBytes() - 1) >>> geometry.clusterBits();
  }

  /** How often the cluster is referred to. */
  public long count(long cluster) {
    return counts.get(cluster);
  }

  /** How often the cluster is referred to by something that says whether it is the only one. */
  long countWithCopiedFlag(long cluster) {
    return counts.get(cluster) - compressed.get(cluster);
  }

  /** How often each cluster is referred to. */
  ClusterCounts counts() {
    return counts;
  }

  /** One cluster more than the last that is referred to or lies in the file. */
  public long endCluster() {
    return Math.max(fileEnd, counts.end());
  }

  /**
   * Counts the clusters of a structure that nothing else may share.
   *
   * @param name in the specification's words
   */
  void addStructure(String name, long hostOffset, long bytes) throws IOException {
    if (!geometry.isClusterAligned(hostOffset)) {
      throw new CorruptImageException(name, hostOffset, "not aligned to a cluster");
    }
    if (hostOffset < 0 || bytes > storage.size() || hostOffset > storage.size() - bytes) {
      throw new CorruptImageException(
          name, hostOffset, "%d bytes, ends past the end of the file".formatted(bytes));
    }
    long behind = clusterBehind(hostOffset + bytes);
    for (long cluster = hostOffset >>> geometry.clusterBits(); cluster < behind; cluster++) {
      if (structures.get(cluster) != 0) {
        throw new CorruptImageException(
            name, hostOffset, "overlaps another structure of the image");
      }
      structures.add(cluster, 1);
      counts.add(cluster, 1);
    }
  }

  /** Counts header, refcount table and blocks. */
  public void addHeaderAndRefcounts() throws IOException {
    addStructure("Header", 0, Math.min(geometry.clusterBytes(), storage.size()));
    long tableBytes = (long) header.refcountTableClusters() << geometry.clusterBits();
    addStructure("Refcount table", header.refcountTableOffset(), tableBytes);
    scan.visit(
        "Refcount table",
        header.refcountTableOffset(),
        tableBytes / Long.BYTES,
        (index, entry) -> {
          long block = RefcountEntries.blockOffset(entry);
          if (block != 0) {
            addStructure("Refcount block", block, geometry.clusterBytes());
          }
        });
  }

  /** Counts an L1 table, the L2 tables it names, and every cluster that those name. */
  public void addTables(long l1TableOffset, long l1Entries) throws IOException {
    addL1Table(l1TableOffset, l1Entries);
    addL2Tables();
  }

  /** Counts an L1 table; the L2 tables it names are counted by {@link #addL2Tables}. */
  void addL1Table(long l1TableOffset, long l1Entries) throws IOException {
    addStructure("L1 table", l1TableOffset, l1Entries * Long.BYTES);
    scan.visit(
        "L1 table",
        l1TableOffset,
        l1Entries,
        (index, entry) -> {
          long table = L1Entry.l2TableOffset(entry);
          if (table != 0) {
            checkL2Table(table, l1TableOffset, index);
            l2Tables.add(table >>> geometry.clusterBits(), 1);
          }
        });
  }

  private void checkL2Table(long table, long l1TableOffset, long index) throws IOException {
    String problem =
        !geometry.isClusterAligned(table)
            ? "is not aligned to a cluster"
            : table > storage.size() - geometry.clusterBytes()
                ? "ends past the end of the file"
                : null;
    if (problem != null) {
      throw new CorruptImageException(
          "L1 table",
          l1TableOffset,
          "entry %d: the L2 table at host offset 0x%x %s".formatted(index, table, problem));
    }
  }

  /** Counts the L2 tables that were found, and every cluster that they name. Called once. */
  void addL2Tables() throws IOException {
    int bits = geometry.clusterBits();
    for (long table = l2Tables.next(0); table >= 0; table = l2Tables.next(table + 1)) {
      if (structures.get(table) != 0) {
        throw new CorruptImageException(
            "L2 table", table << bits, "overlaps another structure of the image");
      }
      counts.add(table, l2Tables.get(table));
      long hostOffset = table << bits;
      long references = l2Tables.get(table);
      scan.visit(
          "L2 table",
          hostOffset,
          geometry.clusterBytes() / Long.BYTES,
          (index, word) -> {
            if (index % geometry.l2EntryWords() == 0) {
              addEntry(hostOffset, index / geometry.l2EntryWords(), word, references);
            }
          });
    }
  }

  private void addEntry(long table, long index, long entry, long references) throws IOException {
    int bits = geometry.clusterBits();
    if (L2Entry.isCompressed(entry)) {
      if (header.hasDataFile()) {
        throw malformed("L2 table", table, index, "is compressed, beside an external data file");
      }
      long data = L2Entry.compressedOffset(entry, bits);
      long bytes = L2Entry.compressedBytes(entry, bits);
      addData("L2 table", table, index, data, bytes, references);
      long behind = clusterBehind(data + bytes);
      for (long cluster = data >>> bits; cluster < behind; cluster++) {
        compressed.add(cluster, references);
      }
    } else if (L2Entry.hostOffset(entry) != 0 && !header.hasDataFile()) {
      long data = L2Entry.hostOffset(entry);
      if (!geometry.isClusterAligned(data)) {
        throw malformed("L2 table", table, index, "is not aligned to a cluster");
      }
      addData("L2 table", table, index, data, geometry.clusterBytes(), references);
    }
  }

  /**
   * Counts the clusters that the entry of a table names. They may lie behind the end of the file,
   * where a power loss took what was written there; but not far, and never on a structure.
   */
  void addData(
      String structure, long table, long index, long hostOffset, long bytes, long references)
      throws CorruptImageException, UnsupportedFeatureException {
    long lost = Math.max(fileEnd, MAX_LOST_BYTES >>> geometry.clusterBits());
    long behind = clusterBehind(hostOffset + bytes);
    if (behind > fileEnd + lost) {
      throw malformed(structure, table, index, "lies far behind the end of the file");
    }
    for (long cluster = hostOffset >>> geometry.clusterBits(); cluster < behind; cluster++) {
      if (structures.get(cluster) != 0 || l2Tables.get(cluster) != 0) {
        throw malformed(structure, table, index, "overlaps a structure of the image");
      }
      counts.add(cluster, references);
    }
  }

  private static CorruptImageException malformed(
      String structure, long table, long index, String problem) {
    return new CorruptImageException(
        structure, table, "what entry %d names %s".formatted(index, problem));
  }

  TableScan scan() {
    return scan;
  }
}
