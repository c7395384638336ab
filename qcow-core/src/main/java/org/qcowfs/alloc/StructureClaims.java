package org.qcowfs.alloc;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.qcowfs.alloc.MetadataClusters.Kind;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Gives each structure that an image names its clusters, when it is opened for writing, and refuses
 * the image where two want the same, or one lies where the file has nothing.
 *
 * <p>Thread rules: used by one thread, before anybody else uses the image.
 */
public final class StructureClaims {
  private final ClusterGeometry geometry;
  private final MetadataClusters metadata;
  private final long fileBytes;

  public StructureClaims(BlockStorage storage, ClusterGeometry geometry, MetadataClusters metadata)
      throws IOException {
    this.geometry = geometry;
    this.metadata = metadata;
    this.fileBytes = storage.size();
  }

  /** How long the image file is. */
  public long fileBytes() {
    return fileBytes;
  }

  /**
   * Claims a range for a structure that shares its clusters with nothing.
   *
   * @throws CorruptImageException when it lies elsewhere than a structure can
   */
  public void claimLocked(Kind kind, long hostOffset, long bytes) throws CorruptImageException {
    if (bytes == 0) {
      return;
    }
    checkPlace(kind, hostOffset, bytes);
    long taken = metadata.firstIn(hostOffset, bytes);
    if (taken >= 0) {
      throw overlap(kind, hostOffset, metadata.kindOf(taken));
    }
    metadata.addLocked(kind, hostOffset, bytes);
  }

  /**
   * Claims a cluster for an L2 table of an internal snapshot, which the active disk and other
   * snapshots may share.
   */
  public void claimSnapshotL2TableLocked(long hostOffset) throws CorruptImageException {
    checkPlace(Kind.SNAPSHOT_L2_TABLE, hostOffset, geometry.clusterBytes());
    Kind taken = metadata.kindOf(hostOffset >>> geometry.clusterBits());
    if (taken != null && taken != Kind.L2_TABLE && taken != Kind.SNAPSHOT_L2_TABLE) {
      throw overlap(Kind.SNAPSHOT_L2_TABLE, hostOffset, taken);
    }
    metadata.addLocked(Kind.SNAPSHOT_L2_TABLE, hostOffset, geometry.clusterBytes());
  }

  private void checkPlace(Kind kind, long hostOffset, long bytes) throws CorruptImageException {
    if (!geometry.isClusterAligned(hostOffset)) {
      throw problem(kind, hostOffset, "not aligned to a cluster");
    }
    if (hostOffset < 0 || hostOffset > fileBytes - bytes) {
      throw problem(
          kind,
          hostOffset,
          "%d bytes, ends past the end of the file (%d bytes)".formatted(bytes, fileBytes));
    }
  }

  private static CorruptImageException overlap(Kind kind, long hostOffset, @Nullable Kind other) {
    String what = other == null ? "another structure" : other.words();
    return problem(kind, hostOffset, "overlaps " + what);
  }

  private static CorruptImageException problem(Kind kind, long hostOffset, String problem) {
    String words = kind.words().replaceFirst("^(the|an?) ", "");
    return CorruptImageException.ofMetadata(
        Character.toUpperCase(words.charAt(0)) + words.substring(1), hostOffset, problem);
  }
}
