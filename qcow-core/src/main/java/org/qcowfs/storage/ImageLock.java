package org.qcowfs.storage;

import java.io.IOException;
import java.util.List;
import org.qcowfs.error.ImageLockedException;
import org.qcowfs.error.ImageLockedException.WayOut;

/**
 * How a file is used, in the words of QEMU's image locking: a shared lock on byte 100+i says "I use
 * permission i", one on byte 200+i says "I do not share permission i", with i = 0 for consistent
 * reads, 1 for writes, 2 for writes that change nothing, 3 for resizes.
 *
 * <p>The locks are OFD locks: they live as long as the open file, whatever else of the same file is
 * opened and closed by this process.
 */
@SuppressWarnings("ImmutableEnumChecker") // the lists are List.of
public enum ImageLock {
  /** Reads, writes and resizes, and lets nobody else write. */
  READ_WRITE(List.of(100, 101, 103, 201, 203), List.of(200, 201, 203, 101, 103)),
  /** Reads, and lets nobody write. */
  READ(List.of(100, 201, 203), List.of(200, 101, 103)),
  /** Reads, beside anybody who does not forbid even that. */
  READ_SHARED(List.of(100), List.of(200));

  private static final int USES = 100;
  private static final int DOES_NOT_SHARE = 200;
  private static final int READING = 0;
  private static final int WRITING = 1;
  private static final int RESIZING = 3;

  private final List<Integer> locked;
  private final List<Integer> tested;

  ImageLock(List<Integer> locked, List<Integer> tested) {
    this.locked = locked;
    this.tested = tested;
  }

  /**
   * Locks the open file, until it is closed. After a failure some of the locks may be held: the
   * caller closes the file.
   */
  void take(int fd) throws IOException {
    for (int offset : locked) {
      if (!Posix.lockShared(fd, offset)) {
        throw new ImageLockedException(
            "another program has locked the image for itself alone; stop it first", WayOut.WAIT);
      }
    }
    for (int offset : tested) {
      if (Posix.isLockedByAnother(fd, offset)) {
        throw otherUse(fd);
      }
    }
  }

  /** What the other one does: its locks say that, whichever of them was met first. */
  private ImageLockedException otherUse(int fd) throws IOException {
    if (Posix.isLockedByAnother(fd, USES + WRITING)
        || Posix.isLockedByAnother(fd, USES + RESIZING)) {
      return new ImageLockedException(
          "another program has the image open for writing; stop it first",
          this == READ_WRITE ? WayOut.WAIT : WayOut.FORCE_SHARE);
    }
    if (Posix.isLockedByAnother(fd, DOES_NOT_SHARE + READING)) {
      return new ImageLockedException(
          "another program uses the image and shares it with nobody; stop it first", WayOut.WAIT);
    }
    return new ImageLockedException(
        "another program reads the image and lets nobody write; stop it first", WayOut.READ);
  }
}
