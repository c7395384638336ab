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
 * The refcounts that an image holds, right or wrong: those of the clusters that lie in its file are
 * read at once, others when they are asked for. Holes of the file are skipped.
 *
 * <p>Thread rules: used by one thread.
 */
final class StoredRefcounts {
  /** What stands for a refcount that cannot be known. */
  static final long UNKNOWN = -1;

  private static final int PIECE_BYTES = 64 << 10;

  private final BlockStorage storage;
  private final Header header;
  private final ClusterCounts values = new ClusterCounts();
  private final Set<Long> unreadable = new HashSet<>();
  private final long clustersPerBlock;
  private final long end;
  private final ByteBuffer piece;
  private final long[] words;
  private final RefcountsPastEnd pastEnd;

  private StoredRefcounts(BlockStorage storage, Header header) throws IOException {
    this.storage = storage;
    this.header = header;
    this.clustersPerBlock = (header.clusterBytes() * 8L) >>> header.refcountOrder();
    // One more than the file has: what is referred to may reach a cluster further.
    this.end = (storage.size() >>> header.clusterBits()) + 2;
    this.piece =
        ByteBuffer.allocateDirect(Math.min(PIECE_BYTES, header.clusterBytes()))
            .order(ByteOrder.BIG_ENDIAN);
    this.pastEnd = new RefcountsPastEnd(storage, header);
    this.words = new long[piece.capacity() / Long.BYTES];
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
    piece.flip().asLongBuffer().get(words, 0, piece.capacity() / Long.BYTES);
    int perWord = Long.SIZE >> header.refcountOrder();
    int last = (int) Math.min(count, end - firstCluster);
    for (int first = 0; first < last; ) {
      int behind = Math.min(last, endOfAlike(first / perWord) * perWord);
      if (behind > first) {
        values.addToEach(firstCluster + first, behind - first, value(piece, header, first));
        first = behind;
      } else {
        for (int i = 0; i < perWord && first < last; i++, first++) {
          values.add(firstCluster + first, value(piece, header, first));
        }
      }
    }
  }

  /** A refcount in a piece of a block; those above 2^63 are a little less. */
  static long value(ByteBuffer piece, Header header, int index) {
    long value = RefcountEntries.get(piece, header.refcountOrder(), index);
    return value < 0 ? Long.MAX_VALUE : value;
  }

  /** The first word from the given one on that holds another refcount than all of those before. */
  private int endOfAlike(int first) {
    long word = words[first];
    int at = first;
    if (word == Long.rotateLeft(word, 1 << header.refcountOrder())) {
      while (at < words.length && words[at] == word) {
        at++;
      }
    }
    return at;
  }

  /** The refcount of any cluster, or {@link #UNKNOWN}. */
  long lookUp(long cluster) throws IOException {
    if (cluster >= end) {
      return pastEnd.get(cluster);
    }
    return isUnreadable(cluster) ? UNKNOWN : values.get(cluster);
  }

  /** The refcount of a cluster in the file; 0 where it cannot be known. */
  long get(long cluster) {
    return values.get(cluster);
  }

  /** Whether each cluster of a range has this refcount, and that is known. */
  boolean isEach(long first, long clusters, long refcount) {
    return unreadable.isEmpty() && values.isEach(first, clusters, refcount);
  }

  /** Whether the block that counts the cluster lies where none can be. */
  private boolean isUnreadable(long cluster) {
    return !unreadable.isEmpty() && unreadable.contains(cluster / clustersPerBlock);
  }

  /** The first cluster at or behind the given one whose refcount is another one, or -1. */
  long mismatch(ClusterCounts counted, long from) {
    return values.mismatch(counted, from);
  }

  /** The last cluster in front of the given one whose refcount is not 0, or -1. */
  long last(long end) {
    return values.last(end);
  }
}
