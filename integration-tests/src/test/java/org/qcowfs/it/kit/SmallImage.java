package org.qcowfs.it.kit;

import java.nio.file.Path;
import java.util.Arrays;

/** An ordinary image of 1 MiB for tests that are about everything but its format. */
public final class SmallImage {
  public static final int VIRTUAL_BYTES = 1 << 20;

  private static final int DATA = 0x77;

  private SmallImage() {}

  /** Makes it, full of one byte. */
  public static Path create(Path file) {
    QemuImg.create(file, "", VIRTUAL_BYTES);
    new QemuIo().write(DATA, 0, VIRTUAL_BYTES).run(file);
    return file;
  }

  /** Asserts that this is its disk. */
  public static void assertIsDisk(Path disk) {
    byte[] expected = new byte[VIRTUAL_BYTES];
    Arrays.fill(expected, (byte) DATA);
    DiskBytes.assertHolds(disk, 0, expected);
  }

  /** What {@code tr -d} leaves nothing of when it reads the disk. */
  public static String character() {
    return Character.toString(DATA);
  }
}
