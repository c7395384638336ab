package org.qcowfs.it.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.ImageEditor;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.TestDirectory;

/**
 * An image with two partitions and first contents in half of its disk, in a directory of its own,
 * and the log of its sectors. {@link #close} deletes it.
 */
final class CrashImage implements AutoCloseable {
  static final int SECTORS = 32 << 10;
  static final int FIRST_PARTITION = 2048;
  static final int SECOND_PARTITION = 16 << 10;

  private static final int FILLED_RUN = 512;
  private static final int CORRUPT = 2;
  private static final int LEAKS = 3;
  private static final long DIRTY_BIT = 1;

  /** What kind of image. */
  enum Shape {
    PLAIN("cluster_size=64k"),
    BACKED("cluster_size=4k"),
    SNAPSHOT("cluster_size=16k"),
    LAZY("lazy_refcounts=on"),
    EXTENDED("cluster_size=64k,extended_l2=on"),
    DATA_FILE("data_file=vm.data");

    private final String options;

    Shape(String options) {
      this.options = options;
    }
  }

  /** What QEMU's check finds. */
  enum Condition {
    CLEAN,
    LEAKS,
    DIRTY
  }

  private final Shape shape;
  private final Path directory = TestDirectory.create("crash");
  private final Path image = directory.resolve("vm.qcow2");
  private final Path base = directory.resolve("base.qcow2");
  private final Path first = directory.resolve("first.raw");
  private final SectorLog log;
  private final String baseHash;

  CrashImage(Shape shape) {
    this.shape = shape;
    BitSet filled = new BitSet();
    for (int sector = FIRST_PARTITION; sector < SECTORS; sector += 2 * FILLED_RUN) {
      filled.set(sector, sector + FILLED_RUN);
    }
    log = new SectorLog(FIRST_PARTITION, SECTORS, filled);
    try {
      Files.write(first, firstContents(filled));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    create();
    baseHash = shape == Shape.BACKED ? DiskBytes.sha256(base) : "";
  }

  private static byte[] firstContents(BitSet filled) {
    ByteBuffer bytes = ByteBuffer.allocate(SECTORS * SectorLog.SECTOR_BYTES);
    filled.stream()
        .forEach(
            sector ->
                SectorLog.stampFirst(bytes.position(sector * SectorLog.SECTOR_BYTES), sector));
    partition(bytes, 0, FIRST_PARTITION, SECOND_PARTITION);
    partition(bytes, 1, SECOND_PARTITION, SECTORS);
    bytes.put(510, (byte) 0x55).put(511, (byte) 0xaa);
    return bytes.array();
  }

  private static void partition(ByteBuffer disk, int index, int start, int end) {
    int at = 446 + 16 * index;
    disk.put(at + 4, (byte) 0x83);
    disk.putInt(at + 8, Integer.reverseBytes(start));
    disk.putInt(at + 12, Integer.reverseBytes(end - start));
  }

  private void create() {
    long bytes = (long) SECTORS * SectorLog.SECTOR_BYTES;
    if (shape == Shape.BACKED) {
      QemuImg.create(base, shape.options, bytes);
      fill(base);
      QemuImg.on(
          image,
          "create",
          "-q",
          "-f",
          "qcow2",
          "-o",
          shape.options,
          "-b",
          base,
          "-F",
          "qcow2",
          image);
    } else {
      QemuImg.create(image, shape.options, bytes);
      fill(image);
    }
    if (shape == Shape.SNAPSHOT) {
      QemuImg.snapshot(image, "first");
    }
  }

  private void fill(Path qcow2) {
    QemuImg.on(qcow2, "convert", "-n", "-f", "raw", "-O", "qcow2", first, qcow2);
  }

  Path image() {
    return image;
  }

  Path directory() {
    return directory;
  }

  SectorLog log() {
    return log;
  }

  /** Asserts that QEMU finds no corruption, except in an image that says that it is dirty. */
  Condition check() {
    int code =
        Command.of("qemu-img", "check", "-q", "-f", "qcow2", image).in(directory).run().exitCode();
    if (code == CORRUPT && isDirty()) {
      return Condition.DIRTY;
    }
    assertThat(code).as("qemu-img check of %s: 0 is clean, 3 leaks", image).isIn(0, LEAKS);
    return code == 0 ? Condition.CLEAN : Condition.LEAKS;
  }

  private boolean isDirty() {
    boolean[] dirty = new boolean[1];
    ImageEditor.edit(
        image, file -> dirty[0] = (file.get64(ImageEditor.INCOMPATIBLE_FEATURES) & DIRTY_BIT) != 0);
    return dirty[0];
  }

  /**
   * After an unmount in order: asserts that QEMU finds nothing wrong, reads what is logged, and
   * finds backing file and snapshot as they were.
   */
  void assertSound() {
    QemuImg.on(image, "check", "-q", "-f", "qcow2", image);
    Path raw = QemuImg.toRaw(image);
    log.verify(raw);
    if (shape == Shape.BACKED) {
      assertThat(DiskBytes.sha256(base)).isEqualTo(baseHash);
    }
    if (shape == Shape.SNAPSHOT) {
      DiskBytes.assertSame(QemuImg.snapshotToRaw(image, "first"), first);
    }
  }

  @Override
  public void close() {
    TestDirectory.delete(directory);
  }
}
