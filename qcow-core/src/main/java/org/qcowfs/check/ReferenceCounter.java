package org.qcowfs.check;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.qcowfs.alloc.ClusterCounts;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.format.RefcountEntries;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Counts how often each cluster of an image file is referred to, by walking every table. An L2
 * table is walked once, however many L1 tables share it. So time is bounded by the tables that the
 * file really holds, and so is memory.
 *
 * <p>It counts in one of two ways. The strict one refuses an image with a pointer that leads
 * nowhere, or into a structure: what is counted then can be written by. The other one tells a
 * listener about each defect, and goes on; it compares with the refcounts that the image holds.
 *
 * <p>Thread rules: used by one thread; tables are read ahead on others.
 */
public final class ReferenceCounter {
  private static final String L1 = "L1 table";

  /** An L1 table, and the snapshot that it belongs to, or -1 for the active disk. */
  record L1Table(long hostOffset, long entries, int snapshot) {
    boolean isActive() {
      return snapshot < 0;
    }

    String structure() {
      return isActive() ? L1 : L1 + " of snapshot " + snapshot;
    }
  }

  private final BlockStorage storage;
  private final Header header;
  private final ClusterGeometry geometry;
  private final Defect.Listener listener;
  private final @Nullable StoredRefcounts stored;
  private final TableScan scan;
  private final long fileBytes;
  private final ClusterCounts counts = new ClusterCounts();
  private final ClusterCounts misaligned = new ClusterCounts();
  private final ClusterCounts l2Tables = new ClusterCounts();
  private final ClusterCounts activeTables = new ClusterCounts();
  private final Structures structures = new Structures();
  private final List<L1Table> l1Tables = new ArrayList<>();
  private final CopiedChecks copiedChecks;
  private final L1Entries l1Entries;
  private final L2Entries l2Entries;
  private L2Stream.Progress progress = L2Stream.Progress.SILENT;

  /** Counts strictly: every method refuses what is malformed. */
  public ReferenceCounter(BlockStorage storage, Header header) throws IOException {
    this(storage, header, Defect.STRICT, null);
  }

  /**
   * Counts, and tells the listener what is wrong.
   *
   * @param stored the refcounts that the image holds; null to count strictly
   */
  ReferenceCounter(
      BlockStorage storage,
      Header header,
      Defect.Listener listener,
      @Nullable StoredRefcounts stored)
      throws IOException {
    this.storage = storage;
    this.header = header;
    this.geometry = header.geometry();
    this.listener = listener;
    this.stored = stored;
    this.scan = new TableScan(storage);
    this.fileBytes = storage.size();
    this.copiedChecks = new CopiedChecks(listener, stored, geometry);
    this.l1Entries = new L1Entries(this, header);
    this.l2Entries = new L2Entries(this, header);
  }

  /**
   * Counts everything, strictly: the active disk, the internal snapshots, the bitmaps, and the
   * structures.
   *
   * @throws CorruptImageException when a table is malformed
   */
  static ReferenceCounter ofWholeImage(
      BlockStorage storage, Header header, HeaderExtensions extensions) throws IOException {
    ReferenceCounter references = new ReferenceCounter(storage, header);
    // Structures first: what is only data must not lie on any of them.
    references.addHeaderAndRefcounts();
    references.countTables(extensions);
    return references;
  }

  /** Counts header, active disk, snapshots and bitmaps. What the refcounts take is not counted. */
  void countAllButRefcounts(HeaderExtensions extensions, L2Stream.Progress how) throws IOException {
    progress = how;
    addStructure("Header", 0, Math.min(geometry.clusterBytes(), fileBytes), Fix.Part.NONE);
    countTables(extensions);
  }

  private void countTables(HeaderExtensions extensions) throws IOException {
    addL1Table(new L1Table(header.l1TableOffset(), header.l1Entries(), -1), Fix.Part.L1_LENGTH);
    new SnapshotReferences(this, storage, header).add();
    BitmapReferences bitmaps = new BitmapReferences(this, storage, header, extensions);
    addL2Tables();
    bitmaps.addData();
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
    return counts.get(cluster) - l2Entries.compressedCount(cluster);
  }

  /** How often clusters are touched by what is not aligned, and so refers to none of them. */
  ClusterCounts misaligned() {
    return misaligned;
  }

  /** How often each cluster is referred to. */
  ClusterCounts counts() {
    return counts;
  }

  /** How often each cluster is referred to as an L2 table. */
  ClusterCounts l2Tables() {
    return l2Tables;
  }

  List<L1Table> l1Tables() {
    return l1Tables;
  }

  Structures structures() {
    return structures;
  }

  L2Entries.Fragments fragments() {
    return l2Entries.fragments();
  }

  long activeReferences(long l2Table) {
    return activeTables.get(l2Table >>> geometry.clusterBits());
  }

  long references(long l2Table) {
    return l2Tables.get(l2Table >>> geometry.clusterBits());
  }

  CopiedChecks copiedChecks() {
    return copiedChecks;
  }

  boolean isStrict() {
    return stored == null;
  }

  TableScan scan() {
    return scan;
  }

  long fileBytes() {
    return fileBytes;
  }

  /** Clusters that the file has room for, the last one perhaps in part. */
  long fileClusters() {
    return clusterBehind(fileBytes);
  }

  /** One cluster more than the last that is referred to or lies in the file. */
  public long endCluster() {
    return Math.max(fileClusters(), counts.end());
  }

  /** Whether a range of clusters can only be data, referred to equally often all over. */
  boolean isDataAlike(long first, long clusters) {
    return l2Tables.isEach(first, clusters, 0)
        && structures.isNone(first, clusters)
        && counts.isEach(first, clusters, counts.get(first));
  }

  /** Whether a range ends so far behind the file that it can be none: QEMU's rule. */
  boolean isPastEnd(long hostOffset, long bytes) {
    return hostOffset < 0 || hostOffset - fileBytes >= geometry.clusterBytes() - bytes;
  }

  /** A pointer that leads nowhere, or to something else. */
  void hiding(Finding finding, Fix fix) throws CorruptImageException {
    listener.found(Defect.hiding(finding, fix));
  }

  /** Something that is wrong, but leads nobody astray. */
  void harmless(Finding finding, Fix fix) throws CorruptImageException {
    listener.found(Defect.harmless(finding, fix));
  }

  /**
   * Counts the clusters of a structure that nothing else may share.
   *
   * @param name in the specification's words
   * @param fix where it cannot lie there
   * @return whether at least a part of it can be read
   */
  boolean addStructure(String name, long hostOffset, long bytes, Fix fix) throws IOException {
    if (!geometry.isClusterAligned(hostOffset)) {
      hiding(
          Finding.corruption(name, hostOffset, "not aligned to a cluster", "it cannot be read"),
          fix);
      return false;
    }
    boolean cut =
        isStrict()
            ? hostOffset < 0 || hostOffset > fileBytes - bytes
            : bytes > 0 && isPastEnd(hostOffset, bytes);
    if (cut) {
      hiding(
          Finding.corruption(
              name,
              hostOffset,
              "%d bytes, ends past the end of the file".formatted(bytes),
              "what it says there is lost"),
          fix);
      return hostOffset >= 0 && hostOffset < fileBytes;
    }
    String other = null;
    long behind = clusterBehind(hostOffset + bytes);
    for (long cluster = hostOffset >>> geometry.clusterBits(); cluster < behind; cluster++) {
      counts.add(cluster, 1);
      if (other == null && structures.contains(cluster)) {
        other = structures.nameOf(cluster);
        hiding(overlap(name, hostOffset, cluster, other), fix);
      }
      structures.add(cluster, name);
    }
    return true;
  }

  /** QEMU counts an overlap only where refcounts tell of it; and then with the refcounts. */
  Finding overlap(String name, long hostOffset, long cluster, String other) {
    boolean countedLater =
        stored != null && stored.get(cluster) < counts.get(cluster) && !isStrict();
    return Finding.corruption(
            name,
            hostOffset,
            "overlaps another structure of the image: " + other,
            "a write to one would destroy the other")
        .times(countedLater ? 0 : 1);
  }

  /** Counts header, refcount table and blocks, strictly. */
  public void addHeaderAndRefcounts() throws IOException {
    addStructure("Header", 0, Math.min(geometry.clusterBytes(), fileBytes), Fix.Part.NONE);
    long tableBytes = (long) header.refcountTableClusters() << geometry.clusterBits();
    addStructure("Refcount table", header.refcountTableOffset(), tableBytes, Fix.Part.NONE);
    scan.visit(
        header.refcountTableOffset(),
        tableBytes / Long.BYTES,
        (index, entry) -> {
          long block = RefcountEntries.blockOffset(entry);
          if (block != 0) {
            addStructure("Refcount block", block, geometry.clusterBytes(), Fix.Part.NONE);
          }
        });
  }

  /** Counts an L1 table, the L2 tables it names, and every cluster that those name; strictly. */
  public void addTables(long l1TableOffset, long l1Entries) throws IOException {
    addL1Table(new L1Table(l1TableOffset, l1Entries, -1), Fix.Part.NONE);
    addL2Tables();
  }

  /** Counts an L1 table; the L2 tables it names are counted by {@link #addL2Tables}. */
  void addL1Table(L1Table table, Fix fix) throws IOException {
    long bytes = table.entries() * Long.BYTES;
    if (addStructure(table.structure(), table.hostOffset(), bytes, fix)) {
      l1Tables.add(table);
    }
  }

  /** An L1 table that does not lie in the file as a whole: what is there is read. */
  void addUncountedL1Table(L1Table table) throws IOException {
    if (table.hostOffset() >= 0 && table.hostOffset() < fileBytes) {
      l1Tables.add(table);
    }
  }

  long wholeClusters(long bytes) {
    return clusterBehind(bytes) << geometry.clusterBits();
  }

  /** A scan of its own, for looking something up during another. */
  TableScan lookUpScan() {
    return new TableScan(storage);
  }

  /** Counts the L2 tables that are named, and every cluster that they name. Called once. */
  void addL2Tables() throws IOException {
    for (L1Table table : l1Tables) {
      scan.visit(
          table.hostOffset(),
          table.entries(),
          (index, entry) -> l1Entries.add(table, index, entry));
    }
    long total = 0;
    for (long table = l2Tables.next(0); table >= 0; table = l2Tables.next(table + 1)) {
      counts.add(table, l2Tables.get(table));
      total++;
    }
    progress.expect(total);
    try (L2Stream stream = new L2Stream(storage, geometry)) {
      stream.visit(l2Tables, l2Entries, progress);
    }
  }

  /** Counts an L2 table, which lies where one can; its entries are counted later. */
  void addL2Table(long hostOffset, boolean active) throws IOException {
    long cluster = hostOffset >>> geometry.clusterBits();
    l2Tables.add(cluster, 1);
    if (active) {
      activeTables.add(cluster, 1);
    }
  }

  /** Whether anybody will read what is told of a finding. */
  boolean wantsText() {
    return listener.wantsText();
  }

  /** A text, if anybody will read it: a table of garbage has an error in each entry. */
  @FormatMethod
  String text(@FormatString String format, long value) {
    return listener.wantsText() ? format.formatted(value) : "";
  }

  /** As the other one; its values are made even for nobody. */
  @FormatMethod
  String text(@FormatString String format, Object... values) {
    return listener.wantsText() ? format.formatted(values) : "";
  }

  /**
   * How many errors further references to a cluster are, beside what its refcount will tell. It
   * does not matter whether the tables that refer to it are one that is shared, or copies.
   */
  long overlapErrors(long cluster, long references) {
    return stored == null
        ? references
        : Math.max(0, Math.min(references, stored.get(cluster) - counts.get(cluster)));
  }

  /** QEMU counts a second error where a misaligned cluster lies past the end too. */
  long errorsOfMisaligned(long hostOffset) {
    return !header.hasDataFile() && isPastEnd(hostOffset, geometry.clusterBytes()) ? 2 : 1;
  }

  /** QEMU counts both clusters that a misaligned one would take. */
  void countMisaligned(long hostOffset, long references) throws IOException {
    if (!isStrict() && !isPastEnd(hostOffset, geometry.clusterBytes())) {
      long cluster = hostOffset >>> geometry.clusterBits();
      misaligned.add(cluster, references);
      misaligned.add(cluster + 1, references);
    }
  }
}
