package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.Set;
import org.qcowfs.alloc.ClusterCounts;
import org.qcowfs.format.Header;
import org.qcowfs.format.RefcountEntries;
import org.qcowfs.storage.BlockStorage;

/**
 * The refcounts that an image holds, right or wrong, of the clusters that lie in its file. Holes of
 * the file are skipped.
 *
 * <p>Thread rules: used by one thread.
 */
final class StoredRefcounts {
  private static final int PIECE_BYTES = 64 << 10;

  private final BlockStorage storage;
  private final Header header;
  private final ClusterCounts values = new ClusterCounts();
  private final Set<Long> unreadable = new HashSet<>();
  private final long clustersPerBlock;
  private final long end;
  private final ByteBuffer piece;

  private StoredRefcounts(BlockStorage storage, Header header) throws IOException {
    this.storage = storage;
    this.header = header;
    this.clustersPerBlock = (header.clusterBytes() * 8L) >>> header.refcountOrder();
    // One more than the file has: what is referred to may reach a cluster further.
    this.end = (storage.size() >>> header.clusterBits()) + 2;
    this.piece =
        ByteBuffer.allocateDirect(Math.min(PIECE_BYTES, header.clusterBytes()))
            .order(ByteOrder.BIG_ENDIAN);
  }

  /** Reads every refcount of the file. */
  static StoredRefcounts read(BlockStorage storage, Header header) throws IOException {
    StoredRefcounts stored = new StoredRefcounts(storage, header);
    long entries = ((long) header.refcountTableClusters() << header.clusterBits()) / Long.BYTES;
    long needed = stored.end / stored.clustersPerBlock + 1;
    new TableScan(storage)
        .visit(header.refcountTableOffset(), Math.min(entries, needed), stored::readBlock);
    return stored;
  }

  private void readBlock(long index, long entry) throws IOException {
    long block = RefcountEntries.blockOffset(entry);
    if (block == 0) {
      return;
    }
    if (block < 0 || !header.geometry().isClusterAligned(block)) {
      unreadable.add(index);
      return;
    }
    long first = index * clustersPerBlock;
    int perPiece = (piece.capacity() * 8) >>> header.refcountOrder();
    for (long at = 0; at < header.clusterBytes(); at += piece.capacity()) {
      long cluster = first + at / piece.capacity() * perPiece;
      if (cluster >= end) {
        return;
      }
      long data = storage.nextData(block + at);
      if (data < 0) {
        return;
      }
      if (data < block + at + piece.capacity()) {
        readPiece(block + at, cluster, perPiece);
      }
    }
  }

  private void readPiece(long hostOffset, long firstCluster, int count) throws IOException {
    storage.read(piece.clear(), hostOffset);
    while (piece.hasRemaining()) {
      piece.put((byte) 0);
    }
    int last = (int) Math.min(count, end - firstCluster);
    for (int i = 0; i < last; i++) {
      long value = RefcountEntries.get(piece, header.refcountOrder(), i);
      if (value != 0) {
        values.add(firstCluster + i, value < 0 ? Long.MAX_VALUE : value);
      }
    }
  }

  /** The refcount of a cluster; 0 where it cannot be known. Those above 2^63 are a little less. */
  long get(long cluster) {
    return values.get(cluster);
  }

  /** Whether the block that counts the cluster lies where none can be. */
  boolean isUnreadable(long cluster) {
    return !unreadable.isEmpty() && unreadable.contains(cluster / clustersPerBlock);
  }

  /** The first cluster at or behind the given one whose refcount is not 0, or -1. */
  long next(long cluster) {
    return values.next(cluster);
  }
}
