package org.qcowfs.it.matrix;

import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.DiskFile;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.Qcowfs;

/**
 * Does the same random operations to a mounted disk and to a plain file that is its model, and
 * compares what both then hold.
 */
final class DiskModel {
  private static final int MOST_BYTES = 1 << 20;
  private static final int SECTOR_BYTES = 512;
  private static final int HISTORY_SHOWN = 200;
  private static final int[] OPEN_FLAGS = {
    DiskFile.PLAIN, DiskFile.PLAIN, DiskFile.PLAIN, DiskFile.DSYNC, DiskFile.SYNC
  };

  private final String name;
  private final Path model;
  private final long initialSize;
  private final boolean resizable;
  private final SplittableRandom random;
  private final List<Operation> history = new ArrayList<>();

  /** What was done; a resize is about what lies between the two sizes. */
  private record Operation(String what, long offset, long length) {
    @Override
    public String toString() {
      return length == Long.MAX_VALUE ? what : "%s 0x%x+0x%x".formatted(what, offset, length);
    }
  }

  /**
   * @param name what to call it in a failure
   * @param resizable whether the size may change
   */
  DiskModel(String name, Path model, long initialSize, boolean resizable, SplittableRandom random) {
    this.name = name;
    this.model = model;
    this.initialSize = initialSize;
    this.resizable = resizable;
    this.random = random;
  }

  /**
   * Makes so many operations at any byte and of any length, then compares everything.
   *
   * @param modes cache modes to switch between; may be empty
   */
  void run(MountedImage mount, int operations, List<String> modes) {
    history.add(new Operation("mount", 0, Long.MAX_VALUE));
    try {
      operate(mount, operations, modes);
      DiskBytes.assertSame(mount.disk(), model);
    } catch (AssertionError | UncheckedIOException e) {
      throw new AssertionError(name + ": " + e.getMessage() + "; the last operations:" + last(), e);
    }
  }

  private void operate(MountedImage mount, int operations, List<String> modes) {
    int left = operations;
    while (left > 0) {
      int flags = OPEN_FLAGS[random.nextInt(OPEN_FLAGS.length)];
      int count = Math.min(left, 1 + random.nextInt(20));
      history.add(new Operation("open with flags 0x%x".formatted(flags), 0, Long.MAX_VALUE));
      try (DiskFile disk = DiskFile.open(mount.disk(), flags);
          DiskFile plain = DiskFile.open(model, DiskFile.PLAIN)) {
        for (int i = 0; i < count; i++) {
          operate(disk, plain);
        }
      }
      if (!modes.isEmpty() && random.nextInt(3) == 0) {
        switchTo(mount, modes.get(random.nextInt(modes.size())));
      }
      left -= count;
    }
  }

  private void switchTo(MountedImage mount, String mode) {
    history.add(new Operation("switch to " + mode, 0, Long.MAX_VALUE));
    Qcowfs.setCacheMode(mount.disk(), mode);
  }

  private void operate(DiskFile disk, DiskFile plain) {
    long size = model.toFile().length();
    long offset = random.nextLong(size);
    int length = (int) Math.min(size - offset, length());
    switch (random.nextInt(20)) {
      case 0, 1, 2 -> punch(disk, plain, offset, length);
      case 3, 4 -> zero(disk, plain, offset, length);
      case 5 -> resize(disk, plain, size);
      case 6 -> allocate(disk, offset, length);
      case 7 -> flush(disk);
      case 8 -> writeMapped(disk, plain, offset, length);
      case 9, 10, 11 -> compare(disk, plain, offset, length);
      default -> write(disk, plain, offset, length);
    }
  }

  private int length() {
    return 1
        + switch (random.nextInt(6)) {
          case 0 -> random.nextInt(MOST_BYTES);
          case 1, 2 -> random.nextInt(100_000);
          default -> random.nextInt(5_000);
        };
  }

  private void write(DiskFile disk, DiskFile plain, long offset, int length) {
    history.add(new Operation("write", offset, length));
    byte[] bytes = bytes(length);
    disk.write(bytes, offset);
    plain.write(bytes, offset);
  }

  private void writeMapped(DiskFile disk, DiskFile plain, long offset, int length) {
    history.add(new Operation("mapped write", offset, length));
    byte[] bytes = bytes(length);
    disk.writeMapped(bytes, offset);
    plain.write(bytes, offset);
  }

  /** Mostly noise; sometimes zeros, which a disk may take for a hole. */
  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    if (random.nextInt(10) > 0) {
      random.nextBytes(bytes);
    }
    return bytes;
  }

  private void punch(DiskFile disk, DiskFile plain, long offset, int length) {
    history.add(new Operation("punch hole", offset, length));
    disk.punchHole(offset, length);
    plain.punchHole(offset, length);
  }

  private void zero(DiskFile disk, DiskFile plain, long offset, int length) {
    history.add(new Operation("zero range", offset, length));
    disk.zeroRange(offset, length);
    plain.zeroRange(offset, length);
  }

  private void allocate(DiskFile disk, long offset, int length) {
    history.add(new Operation("allocate", offset, length));
    disk.allocate(offset, length);
  }

  private void flush(DiskFile disk) {
    history.add(new Operation("flush", 0, Long.MAX_VALUE));
    if (random.nextBoolean()) {
      disk.fsync();
    } else {
      disk.fdatasync();
    }
  }

  /** To between half and one and a half times the size at the beginning. */
  private void resize(DiskFile disk, DiskFile plain, long size) {
    long step = random.nextInt(2) == 0 ? initialSize : initialSize / 10;
    long wanted = size - step / 2 + random.nextLong(step);
    long most = initialSize + initialSize / 2;
    long next = Math.max(initialSize / 2, Math.min(most, wanted)) / SECTOR_BYTES * SECTOR_BYTES;
    if (resizable) {
      long from = Math.min(size, next);
      history.add(new Operation("resize from " + size, from, Math.max(size, next) - from));
      disk.truncate(next);
      plain.truncate(next);
    }
  }

  private void compare(DiskFile disk, DiskFile plain, long offset, int length) {
    ByteBuffer actual = ByteBuffer.wrap(disk.read(offset, length));
    ByteBuffer expected = ByteBuffer.wrap(plain.read(offset, length));
    int mismatch = actual.mismatch(expected);
    if (mismatch >= 0) {
      throw new AssertionError(
          "read at 0x%x: %d bytes differ first at 0x%x"
              .formatted(offset, length, offset + mismatch));
    }
  }

  /** The plain file. */
  Path file() {
    return model;
  }

  private String last() {
    StringBuilder text = new StringBuilder();
    for (Operation operation :
        history.subList(Math.max(0, history.size() - HISTORY_SHOWN), history.size())) {
      text.append(System.lineSeparator()).append(operation);
    }
    return text.toString();
  }
}
