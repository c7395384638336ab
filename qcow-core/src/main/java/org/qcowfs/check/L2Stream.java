package org.qcowfs.check;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.qcowfs.alloc.ClusterCounts;
import org.qcowfs.format.L2Entry;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * Reads L2 tables on several threads, and shows their entries to the caller's in the order of the
 * tables. Entries that say nothing are left out. A few pieces of tables are in memory at a time.
 *
 * <p>Thread rules: used by one thread.
 */
final class L2Stream implements Closeable {
  private static final int PIECE_BYTES = 256 << 10;
  private static final int PIECES_AHEAD = 6;

  /** Takes entries; the second word of each is 0 where they are not extended. */
  @FunctionalInterface
  interface Visitor {
    void entry(long table, int index, long entry, long bitmap) throws IOException;

    /**
     * Takes several entries at once. There may be unused ones between them. Their clusters lie one
     * behind the other in the file, and they are alike in all else.
     *
     * @param entry the first
     * @param bitmap of each
     * @return false where they are to be shown one by one
     */
    default boolean run(long table, long entry, long bitmap, int entries) throws IOException {
      return false;
    }
  }

  /** Is told how many tables there are, and how many have been read. */
  interface Progress {
    /** Tells nobody. */
    Progress SILENT =
        new Progress() {
          @Override
          public void expect(long tables) {}

          @Override
          public void tables(long done) {}
        };

    void expect(long tables);

    void tables(long done);
  }

  /** Consecutive tables, or a part of one: where each entry lies that is not 0, and its words. */
  private static final class Piece {
    final long[] tables;
    final int firstIndex;
    final long[][] words;
    final int[][] indices;
    final int count;

    Piece(long[] tables, int count, int firstIndex) {
      this.tables = tables;
      this.count = count;
      this.firstIndex = firstIndex;
      this.words = new long[count][];
      this.indices = new int[count][];
    }
  }

  /** Fewer entries are shown one by one. */
  private static final int RUN_MIN = 4;

  /** A multiple of the words of any entry. */
  private static final int WORDS_AT_ONCE = 8;

  private final BlockStorage storage;
  private final ClusterGeometry geometry;
  private final int tableBytes;
  private final int pieceBytes;
  private final ExecutorService readers;
  private final Deque<Future<Piece>> ahead = new ArrayDeque<>();
  private final ThreadLocal<ByteBuffer> buffers;

  L2Stream(BlockStorage storage, ClusterGeometry geometry) {
    this.storage = storage;
    this.geometry = geometry;
    this.tableBytes = geometry.clusterBytes();
    this.pieceBytes = Math.min(tableBytes, PIECE_BYTES);
    this.buffers =
        ThreadLocal.withInitial(
            () -> ByteBuffer.allocateDirect(pieceBytes).order(ByteOrder.LITTLE_ENDIAN));
    this.readers =
        Executors.newFixedThreadPool(
            Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors())),
            task -> {
              Thread thread = new Thread(task, "check-reader");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Visits the entries of every table that is counted, once. */
  void visit(ClusterCounts tables, Visitor visitor, Progress progress) throws IOException {
    int perPiece = PIECE_BYTES / pieceBytes;
    long[] batch = new long[perPiece];
    int filled = 0;
    long done = 0;
    for (long table = tables.next(0); table >= 0; table = tables.next(table + 1)) {
      batch[filled++] = table << geometry.clusterBits();
      if (filled == perPiece) {
        done += submit(batch.clone(), filled, visitor);
        progress.tables(done);
        filled = 0;
      }
    }
    if (filled > 0) {
      done += submit(batch.clone(), filled, visitor);
    }
    while (!ahead.isEmpty()) {
      done += take(visitor);
    }
    progress.tables(done);
  }

  private long submit(long[] tables, int count, Visitor visitor) throws IOException {
    long done = 0;
    for (int first = 0; first < tableBytes; first += pieceBytes) {
      int start = first;
      ahead.add(readers.submit(() -> read(tables, count, start)));
      if (ahead.size() >= PIECES_AHEAD) {
        done += take(visitor);
      }
    }
    return done;
  }

  /** Shows the entries of the oldest piece; how many tables end with it. */
  private long take(Visitor visitor) throws IOException {
    Piece piece;
    try {
      piece = ahead.remove().get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException failed) {
        throw failed;
      }
      if (e.getCause() instanceof Error failed) {
        throw failed; // a lack of memory above all, which callers know how to meet
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("the check was interrupted", e);
    }
    int words = geometry.l2EntryWords();
    for (int i = 0; i < piece.count; i++) {
      show(piece, i, visitor);
    }
    boolean last = (piece.firstIndex + 1L) * words * Long.BYTES > tableBytes - pieceBytes;
    return last ? piece.count : 0;
  }

  private void show(Piece piece, int i, Visitor visitor) throws IOException {
    long table = piece.tables[i];
    int words = geometry.l2EntryWords();
    int end = piece.indices[i].length;
    for (int first = 0; first < end; ) {
      int behind = first + wordsOfRun(piece.words[i], first * words) / words;
      long entry = piece.words[i][first * words];
      long bitmap = words == 1 ? 0 : piece.words[i][first * words + 1];
      if (behind - first >= RUN_MIN && visitor.run(table, entry, bitmap, behind - first)) {
        first = behind;
      }
      for (; first < behind; first++) {
        visitor.entry(
            table,
            piece.firstIndex + piece.indices[i][first],
            piece.words[i][first * words],
            words == 1 ? 0 : piece.words[i][first * words + 1]);
      }
    }
  }

  /** How many words from there on belong to entries whose clusters follow each other. */
  private int wordsOfRun(long[] words, int first) {
    int step = geometry.l2EntryWords();
    int clusterBytes = geometry.clusterBytes();
    int at = first + step;
    while (at < words.length
        && L2Entry.follows(words[at], words[at - step], clusterBytes)
        && (step == 1 || words[at + 1] == words[at - 1])) {
      at += step;
    }
    return at - first;
  }

  private Piece read(long[] tables, int count, int start) throws IOException {
    int words = geometry.l2EntryWords();
    Piece piece = new Piece(tables, count, start / (words * Long.BYTES));
    long[] found = new long[pieceBytes / Long.BYTES];
    int[] indices = new int[pieceBytes / (words * Long.BYTES)];
    ByteBuffer buffer = buffers.get();
    for (int i = 0; i < count; i++) {
      int entries = 0;
      long hostOffset = tables[i] + start;
      long data = storage.nextData(hostOffset);
      if (data >= 0 && data < hostOffset + pieceBytes) {
        storage.read(buffer.clear(), hostOffset);
        int filled = (buffer.flip().limit() / Long.BYTES) & -words;
        buffer.asLongBuffer().get(found, 0, filled);
        entries = keepUsed(found, filled, words, indices);
      }
      piece.words[i] = Arrays.copyOf(found, entries * words);
      piece.indices[i] = Arrays.copyOf(indices, entries);
    }
    return piece;
  }

  /**
   * Moves the entries that are not 0 to the front of the array, which holds whole entries in little
   * endian. Most entries of a large disk are 0: these are only looked at, and not one by one.
   */
  private static int keepUsed(long[] all, int count, int words, int[] indices) {
    int entries = 0;
    int at = 0;
    while (at < count) {
      if (at + WORDS_AT_ONCE <= count && isUnused(all, at)) {
        at += WORDS_AT_ONCE;
        continue;
      }
      long bitmap = words == 1 ? 0 : all[at + 1];
      if ((all[at] | bitmap) != 0) {
        indices[entries] = at / words;
        all[entries * words] = Long.reverseBytes(all[at]);
        if (words == 2) {
          all[entries * words + 1] = Long.reverseBytes(bitmap);
        }
        entries++;
      }
      at += words;
    }
    return entries;
  }

  private static boolean isUnused(long[] all, int at) {
    return (all[at]
            | all[at + 1]
            | all[at + 2]
            | all[at + 3]
            | all[at + 4]
            | all[at + 5]
            | all[at + 6]
            | all[at + 7])
        == 0;
  }

  @Override
  public void close() {
    ahead.clear();
    readers.shutdownNow();
  }
}
