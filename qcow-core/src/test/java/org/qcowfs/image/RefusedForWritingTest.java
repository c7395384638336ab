package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.qcowfs.check.ImageCheck;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.testkit.QemuTools;

/** Images that say at once that writing to them would destroy something. */
final class RefusedForWritingTest {
  private static final long REFCOUNT_TABLE = 0x10000;
  private static final long L1 = 0x30000;
  private static final long L2 = 0x40000;
  private static final long COPIED = 1L << 63;
  private static final long FAR = 1L << 40;

  @TempDir private Path directory;
  private Path file;

  /** Where a pointer of the image lies, what it is made to say, and what is said of that. */
  record Case(String name, Place place, long word, String problem) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** Finds a word in an image. */
  @FunctionalInterface
  interface Place {
    long in(ByteBuffer image);
  }

  static List<Case> cases() {
    Place l1 = image -> L1;
    Place nextL1 = image -> L1 + 8;
    Place refcounts = image -> REFCOUNT_TABLE;
    Place moreRefcounts = image -> REFCOUNT_TABLE + 8;
    Place snapshots = image -> 64;
    Place snapshotL1 = image -> image.getLong(64);
    Place snapshotL1Entry = image -> image.getLong((int) image.getLong(64));
    Place bitmap = RefusedForWritingTest::bitmapDirectory;
    return List.of(
        new Case("L2 on L1", nextL1, COPIED | L1, "overlaps the active L1 table"),
        new Case("L2 on refcounts", nextL1, 0x20000, "overlaps a refcount block"),
        new Case("L2 past the end", l1, COPIED | FAR, "ends past the end of the file"),
        new Case("L2 misaligned", l1, COPIED | L2 + 512, "not aligned to a cluster"),
        new Case("block on L1", moreRefcounts, L1, "overlaps a refcount block"),
        new Case("block on its table", refcounts, REFCOUNT_TABLE, "overlaps the refcount table"),
        new Case("block past the end", moreRefcounts, FAR, "ends past the end of the file"),
        new Case("block misaligned", moreRefcounts, L1 + 512, "not aligned to a cluster"),
        new Case("snapshots past the end", snapshots, FAR, "ends past the end of the file"),
        new Case("snapshot's L1 past the end", snapshotL1, FAR, "ends past the end of the file"),
        new Case("snapshot's L1 misaligned", snapshotL1, L1 + 8, "not aligned to a cluster"),
        new Case("snapshot's L1 on L1", snapshotL1, L1, "overlaps the active L1 table"),
        new Case("snapshot's L2 on L1", snapshotL1Entry, L1, "overlaps the active L1 table"),
        new Case("snapshot's L2 past the end", snapshotL1Entry, FAR, "ends past the end"),
        new Case("bitmap past the end", bitmap, FAR, "ends past the end of the file"),
        new Case("bitmap on L1", bitmap, L1, "overlaps the active L1 table"));
  }

  private static long bitmapDirectory(ByteBuffer image) {
    int at = image.getInt(100);
    while (image.getInt(at) != 0x23852875) {
      at += 8 + (image.getInt(at + 4) + 7 & -8);
    }
    return image.getLong(at + 8 + 16);
  }

  @BeforeEach
  void create() throws IOException {
    file = directory.resolve("disk.qcow2");
    qemu("qemu-img", "create", "-q", "-f", "qcow2", "disk.qcow2", "1G");
    qemu("qemu-io", "-c", "write -P 1 0 256k", "disk.qcow2");
  }

  private void qemu(String... command) throws IOException {
    QemuTools.succeed(directory, command);
  }

  /** Bitmaps must be given up to write to an image, which is refused where there are snapshots. */
  private void addWhat(Case wrong) throws IOException {
    if (wrong.name().startsWith("bitmap")) {
      qemu("qemu-img", "bitmap", "--add", "disk.qcow2", "day1");
    } else {
      qemu("qemu-img", "snapshot", "-c", "one", "disk.qcow2");
      qemu("qemu-io", "-c", "write -P 2 0 64k", "disk.qcow2");
    }
  }

  private static OpenOptions forWriting() {
    return OpenOptions.defaults()
        .withWrite(new WriteOptions(CacheMode.WRITEBACK, true, Optional.empty()));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void whereStructuresOverlapOrLieOutsideOnlyReadingIsAllowed(Case wrong) throws IOException {
    addWhat(wrong);
    Images.open(file, forWriting()).close();
    ByteBuffer image = ByteBuffer.wrap(Files.readAllBytes(file));
    image.putLong((int) wrong.place().in(image), wrong.word());
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(image.duplicate().clear(), 0);
    }

    assertThatThrownBy(() -> Images.open(file, forWriting()))
        .isInstanceOf(ReadOnlyImageException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(wrong.problem())
        .hasMessageContaining("mount it with ro, or repair it with qcowfs check -r all")
        .hasMessageNotContaining("\n");

    assertThat(Files.readAllBytes(file)).isEqualTo(image.array());
    Images.open(file, OpenOptions.defaults()).close();
    Images.check(file, OpenOptions.defaults(), Images.Repair.ALL, ImageCheck.Progress.SILENT);
    qemu("qemu-img", "check", "-q", "disk.qcow2");
  }
}
