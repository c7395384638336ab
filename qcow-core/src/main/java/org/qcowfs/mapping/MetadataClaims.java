package org.qcowfs.mapping;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.qcowfs.alloc.MetadataClusters.Kind;
import org.qcowfs.alloc.Refcounts;
import org.qcowfs.alloc.StructureClaims;
import org.qcowfs.format.Header;
import org.qcowfs.format.L1Entry;
import org.qcowfs.storage.BlockStorage;

/**
 * Finds out where the metadata of an image lies, as far as its L1 tables, its refcount table and
 * the lists of snapshots and bitmaps tell. No L2 table is read.
 *
 * <p>Thread rules: used by one thread, before anybody else uses the image.
 */
final class MetadataClaims {
  /** L1 tables of internal snapshots are read as far as that; a mount must not wait for more. */
  private static final long SNAPSHOT_L1_BYTES_MAX = 4 << 20;

  private static final int PIECE_BYTES = 64 << 10;

  private final BlockStorage image;
  private final StructureClaims claims;
  private long snapshotL1Bytes;

  private MetadataClaims(BlockStorage image, StructureClaims claims) {
    this.image = image;
    this.claims = claims;
  }

  /**
   * Claims every structure.
   *
   * @param others what neither header nor refcount table nor the active L1 table names
   * @throws org.qcowfs.error.CorruptImageException when two overlap, or one lies past the end
   */
  static void enter(
      BlockStorage image,
      Header header,
      L1Table l1Table,
      Refcounts refcounts,
      List<ActiveDisk.Structure> others)
      throws IOException {
    StructureClaims claims = new StructureClaims(image, header.geometry(), refcounts.metadata());
    MetadataClaims all = new MetadataClaims(image, claims);
    claims.claimLocked(Kind.HEADER, 0, Math.min(header.clusterBytes(), claims.fileBytes()));
    refcounts.claimLocked(claims);
    claims.claimLocked(
        Kind.L1_TABLE, header.l1TableOffset(), (long) header.l1Entries() * Long.BYTES);
    for (ActiveDisk.Structure other : others) {
      claims.claimLocked(other.kind(), other.hostOffset(), other.bytes());
    }
    for (int index = 0; index < l1Table.length(); index++) {
      if (l1Table.l2TableOffset(index) != 0) {
        claims.claimLocked(Kind.L2_TABLE, l1Table.l2TableOffset(index), header.clusterBytes());
      }
    }
    for (ActiveDisk.Structure other : others) {
      if (other.kind() == Kind.SNAPSHOT_L1_TABLE) {
        all.claimSnapshotL2Tables(other.hostOffset(), other.bytes());
      }
    }
  }

  private void claimSnapshotL2Tables(long hostOffset, long bytes) throws IOException {
    snapshotL1Bytes += bytes;
    if (snapshotL1Bytes > SNAPSHOT_L1_BYTES_MAX) {
      return;
    }
    ByteBuffer piece = ByteBuffer.allocateDirect((int) Math.min(PIECE_BYTES, bytes));
    for (long done = 0; done < bytes; done += PIECE_BYTES) {
      piece.clear().limit((int) Math.min(PIECE_BYTES, bytes - done));
      image.readFully(piece, hostOffset + done);
      piece.flip();
      while (piece.hasRemaining()) {
        long l2Table = L1Entry.l2TableOffset(piece.getLong());
        if (l2Table != 0) {
          claims.claimSnapshotL2TableLocked(l2Table);
        }
      }
    }
  }
}
