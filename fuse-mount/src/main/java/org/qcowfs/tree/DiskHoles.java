package org.qcowfs.tree;

import java.io.IOException;

/**
 * Data and holes of a disk that is also changed through mappings. The kernel asks for them without
 * writing out what it holds, so a hole is one only after the pages that the kernel may have of it
 * are written out. Any number of threads.
 */
final class DiskHoles {
  /** How much of a hole that a search for holes ends at is brought in. */
  private static final long STEP_BYTES = 1 << 20;

  private final WatchedDisk disk;
  private final DiskPages pages;

  DiskHoles(WatchedDisk disk, DiskPages pages) {
    this.disk = disk;
    this.pages = pages;
  }

  /** As {@link HoleSearch#nextData}. */
  long nextData(long offset, long end) throws IOException {
    long changes = disk.count();
    long data = new HoleSearch(disk).nextData(offset, end);
    long hole = (data < 0 ? end : data) - offset;
    if (hole > 0) {
      pages.writeOut(offset, hole);
    }
    return disk.count() == changes ? data : new HoleSearch(disk).nextData(offset, end);
  }

  /** As {@link HoleSearch#nextHole}. */
  long nextHole(long offset, long end) throws IOException {
    long hole = new HoleSearch(disk).nextHole(offset, end);
    while (hole >= 0 && hole < end) {
      pages.writeOut(hole, Math.min(STEP_BYTES, end - hole));
      long now = new HoleSearch(disk).nextHole(hole, end);
      if (now == hole) {
        break;
      }
      hole = now;
    }
    return hole;
  }
}
