package org.qcowfs.fuse;

import java.io.IOException;
import org.qcowfs.errno.Errno;
import org.qcowfs.tree.OpenFile;

/** What fallocate(2) asks for, by its mode bits. */
final class FileRange {
  private static final int KEEP_SIZE = 1;
  private static final int PUNCH_HOLE = 2;
  private static final int ZERO_RANGE = 0x10;

  private FileRange() {}

  /** The answer of the callback. */
  static int fallocate(OpenFile file, int mode, long offset, long length) throws IOException {
    boolean keepSize = (mode & KEEP_SIZE) != 0;
    switch (mode) {
      case 0, KEEP_SIZE -> file.allocate(offset, length, keepSize);
      case ZERO_RANGE, ZERO_RANGE | KEEP_SIZE -> file.zero(offset, length, keepSize);
      case PUNCH_HOLE | KEEP_SIZE -> file.punchHole(offset, length);
      default -> {
        return -Errno.EOPNOTSUPP;
      }
    }
    return 0;
  }
}
