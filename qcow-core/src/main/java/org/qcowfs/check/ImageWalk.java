package org.qcowfs.check;

import java.io.IOException;
import java.util.List;
import org.qcowfs.alloc.ClusterCounts;
import org.qcowfs.format.Header;
import org.qcowfs.format.RefcountEntries;
import org.qcowfs.storage.BlockStorage;

/**
 * One check of a whole image: every table is walked, what is referred to is counted, and compared
 * with the refcounts that the image holds. Changes nothing.
 *
 * <p>Thread rules: used by one thread; tables are read ahead on others.
 */
final class ImageWalk {
  private static final String TABLE = "Refcount table";

  private final BlockStorage storage;
  private final Header header;
  private final Findings findings = new Findings();
  private final StoredRefcounts stored;
  private final ReferenceCounter references;
  private final ClusterCounts refcountClusters = new ClusterCounts();
  private long highestCluster;

  private ImageWalk(BlockStorage storage, Header header) throws IOException {
    this.storage = storage;
    this.header = header;
    this.stored = StoredRefcounts.read(storage, header);
    this.references = new ReferenceCounter(storage, header, findings, stored);
  }

  /** Walks the image. */
  static ImageWalk of(ImageHead head, BlockStorage storage, L2Stream.Progress progress)
      throws IOException {
    ImageWalk walk = new ImageWalk(storage, head.header());
    if (head.problem() != null) {
      walk.references.hiding(head.problem(), Fix.Part.NONE);
    }
    walk.references.countAllButRefcounts(head.extensions(), progress);
    walk.countRefcounts();
    walk.compare();
    return walk;
  }

  /**
   * Refcount table and blocks come last: where they lie on something else, it is they that move.
   */
  private void countRefcounts() throws IOException {
    long bytes = (long) header.refcountTableClusters() << header.clusterBits();
    long offset = header.refcountTableOffset();
    if (bytes == 0) {
      findings.found(
          Defect.harmless(
              Finding.corruption(
                  "Header",
                  48,
                  "names no place where a refcount table can be",
                  "which clusters are free is not known"),
              Fix.Part.REFCOUNT_STRUCTURES));
    } else if (references.isPastEnd(offset, bytes)) {
      findings.found(
          Defect.harmless(
              Finding.corruption(TABLE, offset, "ends past the end of the file", ""),
              Fix.Part.REFCOUNT_STRUCTURES));
    } else {
      long last = (offset + bytes - 1) >>> header.clusterBits();
      for (long cluster = offset >>> header.clusterBits(); cluster <= last; cluster++) {
        if (references.count(cluster) != 0) {
          findings.found(
              Defect.harmless(
                  Finding.corruption(
                          TABLE,
                          offset,
                          "lies where something else does, host offset 0x%x"
                              .formatted(cluster << header.clusterBits()),
                          "")
                      .times(references.overlapErrors(cluster, 1)),
                  Fix.Part.REFCOUNT_STRUCTURES));
        }
        refer(cluster);
      }
    }
    references.scan().visit(offset, bytes / Long.BYTES, this::countBlock);
  }

  private void refer(long cluster) throws IOException {
    references.counts().add(cluster, 1);
    refcountClusters.add(cluster, 1);
  }

  private void countBlock(long index, long entry) throws IOException {
    long block = RefcountEntries.blockOffset(entry);
    String problem = null;
    int errors = 1;
    if (RefcountEntries.reservedBits(entry) != 0) {
      problem = "reserved bits are set: 0x%x".formatted(entry);
    } else if (!header.geometry().isClusterAligned(block)) {
      problem = "the block at host offset 0x%x is not aligned to a cluster".formatted(block);
    } else if (block < 0 || block >>> header.clusterBits() >= references.endCluster()) {
      problem = "the block at host offset 0x%x lies past the end of the file".formatted(block);
    }
    if (problem == null) {
      long cluster = block >>> header.clusterBits();
      refer(cluster);
      if (references.count(cluster) != 1) {
        problem = "the block at host offset 0x%x lies where something else does".formatted(block);
        // Where a refcount cannot say two, the comparison with the refcounts counts it.
        errors = header.refcountBits() == 1 ? 0 : 1;
      }
    }
    if (problem != null) {
      findings.found(
          Defect.harmless(
              Finding.corruption(
                      TABLE,
                      header.refcountTableOffset(),
                      problem,
                      "which clusters are free is not known; new data could overwrite old")
                  .at(index)
                  .times(errors),
              Fix.Part.REFCOUNT_STRUCTURES));
    }
  }

  private void compare() throws IOException {
    RefcountComparison comparison =
        new RefcountComparison(storage, header, references, stored, findings);
    comparison.compare();
    highestCluster = comparison.highestCluster();
  }

  Header header() {
    return header;
  }

  Findings findings() {
    return findings;
  }

  StoredRefcounts stored() {
    return stored;
  }

  ReferenceCounter references() {
    return references;
  }

  /** How often each cluster is referred to as refcount table or block. */
  ClusterCounts refcountClusters() {
    return refcountClusters;
  }

  CheckReport report() {
    L2Entries.Fragments fragments = references.fragments();
    long sectors = header.virtualSize() / 512 * 512;
    return new CheckReport(
        0,
        findings.corruptions(),
        findings.leaks(),
        0,
        0,
        (highestCluster + 1) << header.clusterBits(),
        (sectors + header.clusterBytes() - 1) >>> header.clusterBits(),
        fragments.allocated(),
        fragments.fragmented(),
        fragments.compressed(),
        findings.kept(),
        List.of());
  }
}
