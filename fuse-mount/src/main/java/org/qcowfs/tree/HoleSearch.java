package org.qcowfs.tree;

import java.io.IOException;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.Extent;
import org.qcowfs.image.ExtentVisitor;

/**
 * Looks for data and for holes in a disk: a hole is whatever its map says to be zero, through the
 * whole backing chain. Used once, by one thread.
 *
 * <p>The map is looked at in pieces, each as long as all before it, so that a search costs little
 * more than the distance to what it finds.
 */
final class HoleSearch implements ExtentVisitor {
  private static final long NOT_FOUND = -1;
  private static final long FIRST_PIECE_BYTES = 1 << 20;

  private final BlockDevice disk;
  private boolean wantsHole;
  private long found = NOT_FOUND;

  HoleSearch(BlockDevice disk) {
    this.disk = disk;
  }

  /**
   * Offset of the first byte of data in the range; -1 if there is none.
   *
   * @param end of the range, at most the disk's size
   */
  long nextData(long offset, long end) throws IOException {
    wantsHole = false;
    return search(offset, end);
  }

  /** Offset of the first byte of a hole in the range; its end if there is none but that. */
  long nextHole(long offset, long end) throws IOException {
    if (offset >= end) {
      return NOT_FOUND;
    }
    wantsHole = true;
    long hole = search(offset, end);
    return hole == NOT_FOUND ? end : hole;
  }

  private long search(long offset, long end) throws IOException {
    long piece = FIRST_PIECE_BYTES;
    long at = offset;
    while (at < end && found == NOT_FOUND) {
      long length = Math.min(piece, end - at);
      disk.extents(at, length, this);
      at += length;
      piece = at - offset;
    }
    return found;
  }

  @Override
  public void visit(Extent extent) {
    if (found == NOT_FOUND && extent.zero() == wantsHole) {
      found = extent.start();
    }
  }
}
