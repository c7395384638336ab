package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.qcowfs.alloc.ClusterCounts;
import org.qcowfs.check.Fix.Relocate;
import org.qcowfs.format.Header;
import org.qcowfs.format.L1Entry;
import org.qcowfs.format.L2Entry;
import org.qcowfs.storage.BlockStorage;

/**
 * What one round of a repair changes in tables: entries that are replaced, and clusters that are
 * copied to a place of their own behind everything that is named or counted.
 *
 * <p>Only tables that lie alone in their clusters are written to; others have to move first.
 *
 * <p>Thread rules: used by one thread.
 */
final class RepairPlan {
  private static final int CHUNK_BYTES = 1 << 20;

  private record Move(Relocate what, long target) {}

  private final BlockStorage storage;
  private final ImageWalk walk;
  private final Header header;
  private final WordEdits edits;
  private final List<Move> moves = new ArrayList<>();
  private final boolean cuttingKnots;
  private final long firstTarget;
  private long end;
  private int words;

  /**
   * @param cuttingKnots whether an L1 entry may change although something else is said to lie in
   *     its cluster: where a table names itself, nothing else gets on
   */
  RepairPlan(BlockStorage storage, ImageWalk walk, boolean cuttingKnots) {
    this.cuttingKnots = cuttingKnots;
    this.storage = storage;
    this.walk = walk;
    this.header = walk.header();
    this.edits = new WordEdits(storage);
    this.firstTarget = walk.references().endCluster();
    this.end = firstTarget;
    walk.findings().words().stream().filter(this::isWritable).forEach(this::plan);
    walk.findings().moves().stream().filter(this::isWritable).forEach(this::plan);
  }

  /** Whether nothing but its table lies where a word does. */
  private boolean isWritable(Fix.Words word) {
    long cluster = word.hostOffset() >>> header.clusterBits();
    return isTable(cluster, word.inL2())
        && (word.inL2() ? isNothingButTable(cluster) : walk.references().count(cluster) == 1);
  }

  /** Whether the pointer lies in a table that stays where it is; what lies there too is copied. */
  private boolean isWritable(Relocate move) {
    long cluster = move.pointerOffset() >>> header.clusterBits();
    return switch (move.kind()) {
      case L1_ENTRY -> isTable(cluster, false) && (cuttingKnots || isAloneButForTables(cluster));
      case L2_ENTRY, COMPRESSED ->
          isTable(cluster, true) && (cuttingKnots || isNothingButTable(cluster));
      // The snapshot table was there first: what overlaps it moves.
      case PLAIN -> walk.refcountClusters().get(cluster) == 0;
    };
  }

  private boolean isNothingButTable(long cluster) {
    return walk.references().count(cluster) == walk.references().l2Tables().get(cluster);
  }

  private boolean isAloneButForTables(long cluster) {
    return walk.references().count(cluster) - walk.references().l2Tables().get(cluster) == 1;
  }

  private boolean isTable(long cluster, boolean l2) {
    long others = walk.references().structures().count(cluster) - (l2 ? 0 : 1);
    return cluster != 0 && others == 0 && walk.refcountClusters().get(cluster) == 0;
  }

  private void plan(Fix.Words word) {
    edits.put(word.hostOffset(), word.first());
    if (word.two()) {
      edits.put(word.hostOffset() + Long.BYTES, word.second());
    }
    words++;
  }

  private void plan(Relocate what) {
    long target = end << header.clusterBits();
    end += what.bytes() >>> header.clusterBits();
    moves.add(new Move(what, target));
    edits.put(what.pointerOffset(), pointer(what, target));
  }

  private long pointer(Relocate what, long target) {
    int bits = header.clusterBits();
    return switch (what.kind()) {
      case L1_ENTRY -> L1Entry.withL2Table(what.pointer(), target);
      case L2_ENTRY -> L2Entry.withHostOffset(what.pointer(), target);
      case COMPRESSED ->
          L2Entry.withCompressedOffset(
              what.pointer(),
              bits,
              target + (L2Entry.compressedOffset(what.pointer(), bits) - what.hostOffset()));
      case PLAIN -> target;
    };
  }

  boolean isEmpty() {
    return edits.count() == 0;
  }

  int words() {
    return words;
  }

  int moves() {
    return moves.size();
  }

  /** The first cluster behind all that is planned. */
  long end() {
    return end;
  }

  /** Counts the new places. */
  void count(ClusterCounts counts) throws IOException {
    for (long cluster = firstTarget; cluster < end; cluster++) {
      counts.add(cluster, 1);
    }
  }

  /** How much {@link #copy} will write. */
  long copiedBytes() {
    return moves.stream()
        .filter(move -> !move.what.zeros())
        .mapToLong(move -> move.what.bytes())
        .sum();
  }

  /**
   * Writes the copies. To be durable before {@link #switchOver}. What is to hold zeros does so
   * already: new places lie behind the end that the file had, and take no space before they are
   * written to.
   */
  void copy() throws IOException {
    ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
    for (Move move : moves) {
      long bytes = move.what.zeros() ? 0 : move.what.bytes();
      for (long done = 0; done < bytes; done += CHUNK_BYTES) {
        chunk.clear().limit((int) Math.min(CHUNK_BYTES, bytes - done));
        storage.read(chunk, move.what.hostOffset() + done);
        while (chunk.hasRemaining()) {
          chunk.put((byte) 0);
        }
        storage.write(chunk.flip(), move.target + done);
      }
    }
  }

  /** Replaces the entries. */
  void switchOver() throws IOException {
    edits.write();
  }
}
