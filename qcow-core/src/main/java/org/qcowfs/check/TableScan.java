package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.storage.BlockStorage;

/**
 * Reads the 64-bit words of tables, piece by piece. Holes of the file are skipped. What lies past
 * its end reads as zeros.
 *
 * <p>Time is bounded by the size of the file: tables that lie beside each other are not longer than
 * it all together, and where they lie on one another, that goes so far and no further.
 *
 * <p>Thread rules: used by one thread; one scan at a time.
 */
final class TableScan {
  private static final int PIECE_BYTES = 64 << 10;

  /** Takes a word that is not 0. */
  @FunctionalInterface
  interface Visitor {
    void visit(long index, long word) throws IOException;
  }

  /** How often every byte of the file may be read on average; in a whole image, that is once. */
  private static final int READS_MAX = 16;

  private final BlockStorage storage;
  private long readBytes;
  private final ByteBuffer piece =
      ByteBuffer.allocateDirect(PIECE_BYTES).order(ByteOrder.BIG_ENDIAN);

  TableScan(BlockStorage storage) {
    this.storage = storage;
  }

  /** Visits each word that is not 0, in order. */
  void visit(long hostOffset, long words, Visitor visitor) throws IOException {
    long bytes = words * Long.BYTES;
    long done = 0;
    while (done < bytes) {
      long data = storage.nextData(hostOffset + done);
      if (data < 0) {
        return;
      }
      // Host file systems know holes in steps of their own; a word begins at a multiple of 8.
      done = Math.max(done, data - hostOffset & -Long.BYTES);
      if (done >= bytes) {
        return;
      }
      int count = (int) Math.min(PIECE_BYTES, bytes - done);
      checkProgress(count);
      int read = storage.read(piece.clear().limit(count), hostOffset + done);
      while (piece.hasRemaining() && piece.position() % Long.BYTES != 0) {
        piece.put((byte) 0);
      }
      visitPiece(done / Long.BYTES, visitor);
      if (read < count) {
        return;
      }
      done += count;
    }
  }

  private void checkProgress(int bytes) throws IOException {
    readBytes += bytes;
    if (readBytes > PIECE_BYTES && (readBytes - PIECE_BYTES) / READS_MAX > storage.size()) {
      throw new UnsupportedFeatureException(
          "so many of its tables lie on one another that they cannot be walked");
    }
  }

  private void visitPiece(long firstIndex, Visitor visitor) throws IOException {
    piece.flip();
    for (int i = 0; i < piece.limit() / Long.BYTES; i++) {
      long word = piece.getLong(i * Long.BYTES);
      if (word != 0) {
        visitor.visit(firstIndex + i, word);
      }
    }
  }
}
