package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.qcowfs.format.Header;
import org.qcowfs.format.RefcountEntries;
import org.qcowfs.storage.BlockStorage;

/**
 * The refcounts that an image holds of clusters which its file has not, as it has been cut off.
 * They are looked up one by one.
 *
 * <p>Thread rules: used by one thread.
 */
final class RefcountsPastEnd {
  private static final int PIECE_BYTES = 4096;

  /** So many pieces are read; of what is asked for later nothing is known. */
  private static final int READS_MAX = 1 << 17;

  private final BlockStorage storage;
  private final Header header;
  private final ByteBuffer piece;
  private final long clustersPerPiece;
  private int reads;
  private long pieceIndex = -1;
  private boolean known;

  RefcountsPastEnd(BlockStorage storage, Header header) {
    this.storage = storage;
    this.header = header;
    int bytes = Math.min(PIECE_BYTES, header.clusterBytes());
    this.piece = ByteBuffer.allocate(bytes).order(ByteOrder.BIG_ENDIAN);
    this.clustersPerPiece = (bytes * 8L) >>> header.refcountOrder();
  }

  /** The refcount of a cluster, or {@link StoredRefcounts#UNKNOWN}. */
  long get(long cluster) throws IOException {
    if (cluster / clustersPerPiece != pieceIndex) {
      if (reads >= READS_MAX) {
        return StoredRefcounts.UNKNOWN;
      }
      reads++;
      pieceIndex = cluster / clustersPerPiece;
      known = read();
    }
    return known
        ? StoredRefcounts.value(piece, header, (int) (cluster % clustersPerPiece))
        : StoredRefcounts.UNKNOWN;
  }

  /** Reads the piece; whether it lies where one can be. */
  private boolean read() throws IOException {
    long inBlocks = pieceIndex * piece.capacity();
    long entries = ((long) header.refcountTableClusters() << header.clusterBits()) / Long.BYTES;
    long index = inBlocks >>> header.clusterBits();
    long block = 0;
    if (index < entries) {
      read(Long.BYTES, header.refcountTableOffset() + index * Long.BYTES);
      block = RefcountEntries.blockOffset(piece.getLong(0));
    }
    if (block < 0 || !header.geometry().isClusterAligned(block)) {
      return false;
    }
    read(block == 0 ? 0 : piece.capacity(), block + (inBlocks & (header.clusterBytes() - 1)));
    return true;
  }

  /** Reads some bytes; the rest, and what the file has not, is zeros. */
  private void read(int bytes, long hostOffset) throws IOException {
    storage.read(piece.clear().limit(bytes), hostOffset);
    piece.limit(piece.capacity());
    while (piece.hasRemaining()) {
      piece.put((byte) 0);
    }
    piece.rewind();
  }
}
