package org.qcowfs.alloc;

import org.qcowfs.alloc.MetadataClusters.Kind;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.geometry.ClusterGeometry;

/**
 * Keeps what is written to an image file off its metadata. Whatever an entry says, what is checked
 * here first lies on no table, and within the file.
 *
 * <p>Invariant: each L2 table and refcount block that is written lies on clusters that hold nothing
 * else. Those that the image names are so when it is opened ({@link StructureClaims}), and those
 * that are added are checked when they are taken ({@link #checkFree}).
 *
 * <p>Thread rules: any number of threads; takes no lock, no memory, and asks nothing of the host.
 */
public final class OverlapCheck {
  private final ClusterGeometry geometry;
  private final MetadataClusters metadata;
  private final FileEnd fileEnd;

  OverlapCheck(ClusterGeometry geometry, MetadataClusters metadata, FileEnd fileEnd) {
    this.geometry = geometry;
    this.metadata = metadata;
    this.fileEnd = fileEnd;
  }

  /**
   * Asserts that guest data may be where an entry says that it is.
   *
   * @throws CorruptImageException when that is on metadata, or behind the end of the file
   */
  public void checkData(long hostOffset, long bytes) throws CorruptImageException {
    checkNoMetadata("Data cluster", hostOffset, bytes);
    if (geometry.clusterStart(hostOffset + bytes - 1) >= fileEnd.knownBytes()) {
      throw CorruptImageException.ofMetadata(
          "Data cluster",
          geometry.clusterStart(hostOffset),
          "lies past the end of the file (%d bytes)".formatted(fileEnd.knownBytes()));
    }
  }

  /** Asserts that compressed data lies on no metadata. Its last sector may end past the file. */
  public void checkCompressed(long hostOffset, long bytes) throws CorruptImageException {
    checkNoMetadata("Compressed cluster", hostOffset, bytes);
  }

  /** Asserts that clusters whose refcount is 0 hold no metadata, before they are reused. */
  void checkFree(long firstCluster, long endCluster) throws CorruptImageException {
    checkNoMetadata(
        "Free cluster",
        firstCluster << geometry.clusterBits(),
        (endCluster - firstCluster) << geometry.clusterBits());
  }

  /** Asserts that a cluster holds no metadata that is in use, before its refcount drops to 0. */
  void checkUnused(long cluster) throws CorruptImageException {
    Kind kind = metadata.kindOf(cluster);
    if (kind != null && kind != Kind.FORMER) {
      throw overlap("Freed cluster", cluster, kind);
    }
  }

  private void checkNoMetadata(String structure, long hostOffset, long bytes)
      throws CorruptImageException {
    long cluster = metadata.firstIn(hostOffset, bytes);
    if (cluster >= 0) {
      Kind kind = metadata.kindOf(cluster);
      throw overlap(structure, cluster, kind == null ? Kind.FORMER : kind);
    }
  }

  private CorruptImageException overlap(String structure, long cluster, Kind kind) {
    return CorruptImageException.ofMetadata(
        structure,
        cluster << geometry.clusterBits(),
        "overlaps %s, and a write to it would destroy that".formatted(kind.words()));
  }
}
