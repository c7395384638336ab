package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.check.CheckReport;
import org.qcowfs.check.ImageCheck;
import org.qcowfs.storage.HostFile;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.QemuTools;
import org.qcowfs.testkit.SnapshotSpec;
import org.qcowfs.testkit.TestImage;

/**
 * What QEMU's own tests try on damaged images, as far as no other test does; the numbers are those
 * of its tests. QEMU makes the images and judges the repair.
 */
final class QemuScenariosTest {
  private static final long COPIED = 1L << 63;
  private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;

  // fields of the header
  private static final int L1_OFFSET = 40;
  private static final int REFCOUNT_TABLE = 48;
  private static final int REFCOUNT_TABLE_CLUSTERS = 56;
  private static final int SNAPSHOTS = 64;
  private static final int COMPATIBLE = 80;
  private static final int AUTOCLEAR = 88;

  @TempDir private Path directory;

  private Path image() {
    return directory.resolve("t.qcow2");
  }

  private void create(String options, String size, String... commands) throws IOException {
    String image = image().toString();
    QemuTools.succeed(
        directory, "qemu-img", "create", "-q", "-f", "qcow2", "-o", options, image, size);
    for (String command : commands) {
      QemuTools.succeed(directory, "qemu-io", "-f", "qcow2", "-c", command, image);
    }
  }

  /** The disk as QEMU reads it now. */
  private Path contents() throws IOException {
    Path raw = directory.resolve("expected.raw");
    QemuTools.succeed(
        directory, "qemu-img", "convert", "-O", "raw", image().toString(), raw.toString());
    return raw;
  }

  private long peek(long hostOffset) throws IOException {
    try (FileChannel file = FileChannel.open(image(), StandardOpenOption.READ)) {
      ByteBuffer word = ByteBuffer.allocate(Long.BYTES);
      file.read(word, hostOffset);
      return word.getLong(0);
    }
  }

  private void poke(long hostOffset, byte[] bytes) throws IOException {
    try (FileChannel file = FileChannel.open(image(), StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(bytes), hostOffset);
    }
  }

  private void poke(long hostOffset, long word) throws IOException {
    poke(hostOffset, ByteBuffer.allocate(Long.BYTES).putLong(word).array());
  }

  private long l2Entry(int index) throws IOException {
    return (peek(peek(L1_OFFSET)) & OFFSET) + (long) Long.BYTES * index;
  }

  private CheckReport check(Images.Repair what) throws IOException {
    return Images.check(image(), OpenOptions.defaults(), what, ImageCheck.Progress.SILENT);
  }

  private int qemuCheck() throws IOException {
    return QemuTools.run(directory, List.of("qemu-img", "check", "-f", "qcow2", image().toString()))
        .exitCode();
  }

  private void assertRepairedTo(Path expected) throws IOException {
    assertThat(check(Images.Repair.ALL).isClean()).as("clean after the repair").isTrue();
    assertThat(qemuCheck()).as("exit code of qemu-img check after the repair").isZero();
    QemuTools.succeed(
        directory,
        "qemu-img",
        "compare",
        "-f",
        "raw",
        "-F",
        "qcow2",
        expected.toString(),
        image().toString());
  }

  private byte[] read(OpenOptions options, long offset, int length) throws IOException {
    try (Image opened = Images.open(image(), options)) {
      byte[] bytes = new byte[length];
      opened.disk().read(ByteBuffer.wrap(bytes), offset);
      return bytes;
    }
  }

  private static byte[] full(int value, int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  @Test
  void test108AnImageWithoutARefcountTableGetsOne() throws IOException {
    create("cluster_size=64k", "64M", "write -P 1 0 128k", "write -P 2 32M 64k");
    Path expected = contents();
    poke(REFCOUNT_TABLE, 0);
    poke(REFCOUNT_TABLE_CLUSTERS, new byte[4]);

    assertThat(check(Images.Repair.NONE).corruptions()).isPositive();
    assertRepairedTo(expected);
  }

  /** Not there, past the end, aimed at itself, and with either sign. */
  @ParameterizedTest
  @ValueSource(
      longs = {0, 0x1_0000_0000L, 0x10000, 0x7fff_ffff_ffff_0000L, -0x10000L, 0x2a00, 0x20001})
  void test108ARefcountTableThatNamesNoBlockIsMadeAnew(long entry) throws IOException {
    create("cluster_size=64k", "64M", "write -P 1 0 128k", "write -P 2 32M 64k");
    Path expected = contents();
    poke(peek(REFCOUNT_TABLE), entry);

    assertThat(check(Images.Repair.NONE).corruptions()).isPositive();
    assertRepairedTo(expected);
  }

  @Test
  void test305ABrokenSecondRefcountBlockStopsWritesButNoReadsAndIsRepaired() throws IOException {
    create("cluster_size=512,refcount_bits=64", "4M", "write -P 1 0 128k");
    Path expected = contents();
    poke(peek(REFCOUNT_TABLE) + Long.BYTES, peek(peek(REFCOUNT_TABLE) + Long.BYTES) | 0x100);

    assertThat(read(OpenOptions.defaults(), 0, 512)).isEqualTo(full(1, 512));
    assertThat(check(Images.Repair.NONE).corruptions()).isPositive();
    assertRepairedTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"512, 0x80000000000000", "512, 0x40000000000000", "65536, 0x80000000000000"})
  void test138ADataClusterAt32PebibytesTakesNoMemory(int clusterBytes, String place)
      throws IOException {
    create("cluster_size=" + clusterBytes, "1M", "write -P 1 0 256k");
    poke(l2Entry(0), 0);
    Path expected = contents();
    poke(l2Entry(0), COPIED | Long.decode(place));
    long before = Files.size(image());

    assertThatThrownBy(() -> read(OpenOptions.defaults(), 0, 512)).isInstanceOf(IOException.class);
    assertThat(read(OpenOptions.defaults(), clusterBytes, 512)).isEqualTo(full(1, 512));
    assertThat(check(Images.Repair.NONE).corruptions()).isPositive();
    assertRepairedTo(expected);
    assertThat(Files.size(image())).isLessThan(2 * before);
  }

  /** Of a descriptor: the bits that count sectors, for clusters of 2 MiB. */
  private static final int COUNT_SHIFT = 62 - (21 - 8);

  private static final long COUNT_MASK = ((1L << 62) - 1) & -(1L << COUNT_SHIFT);

  @Test
  void test214ADescriptorThatIsTooShortCostsThatClusterOnly() throws IOException {
    create("cluster_size=2M", "8M", "write -c -P 17 0 2M", "write -c -P 18 2M 2M");
    long whole = peek(l2Entry(0));
    assertThat(whole & COUNT_MASK).as("it has several sectors").isNotZero();
    poke(l2Entry(0), whole & ~COUNT_MASK);

    assertThatThrownBy(() -> read(OpenOptions.defaults(), 0, 2 << 20))
        .isInstanceOf(IOException.class);
    assertThat(read(OpenOptions.defaults(), 2 << 20, 512)).isEqualTo(full(18, 512));
    assertThat(check(Images.Repair.NONE).leaks() > 0).isEqualTo(qemuCheck() == 3);
  }

  @Test
  void test214ADescriptorThatIsTooLongReadsRightAndIsCountedAsFarAsItGoes() throws IOException {
    create("cluster_size=2M", "8M", "write -c -P 17 0 2M", "write -c -P 18 2M 2M");
    Path expected = contents();
    poke(l2Entry(0), peek(l2Entry(0)) | COUNT_MASK);
    poke(l2Entry(1), peek(l2Entry(1)) | COUNT_MASK);

    assertThat(read(OpenOptions.defaults(), 0, 2 << 20)).isEqualTo(full(17, 2 << 20));
    assertThat(check(Images.Repair.NONE).corruptions() > 0).isEqualTo(qemuCheck() == 2);
    assertRepairedTo(expected);
  }

  @Test
  void test036UnknownAutoclearBitsGoWithTheFirstWriteAndCompatibleOnesStay() throws IOException {
    create("cluster_size=64k", "1M", "write -P 1 0 64k");
    poke(AUTOCLEAR, 1L << 63);
    poke(COMPATIBLE, 1L << 62);
    byte[] before = Files.readAllBytes(image());

    read(OpenOptions.defaults(), 0, 512);
    OpenOptions writing = OpenOptions.defaults().withWrite(WriteOptions.defaults());
    read(writing, 0, 512);
    assertThat(Files.readAllBytes(image())).as("never written").isEqualTo(before);

    write(writing, 0, full(2, 512));
    assertThat(peek(AUTOCLEAR)).isZero();
    assertThat(peek(COMPATIBLE) & (1L << 62)).isNotZero();
    assertThat(qemuCheck()).isZero();
  }

  private void write(OpenOptions options, long offset, byte[] bytes) throws IOException {
    try (Image opened = Images.open(image(), options)) {
      opened.disk().write(ByteBuffer.wrap(bytes), offset);
    }
  }

  @Test
  void test031AnUnknownExtensionOutlivesWritesResizesAndRepairs() throws IOException {
    create("cluster_size=64k", "1M", "write -P 1 0 64k");
    byte[] extension =
        ByteBuffer.allocate(24)
            .putInt(0x12345678)
            .putInt(9)
            .put("keep me!!".getBytes(StandardCharsets.US_ASCII))
            .array();
    byte[] header = Arrays.copyOf(Files.readAllBytes(image()), 4096);
    int first = ByteBuffer.wrap(header).getInt(100);
    poke(first + extension.length, Arrays.copyOfRange(header, first, 3000));
    poke(first, extension);

    OpenOptions writing = OpenOptions.defaults().withWrite(WriteOptions.defaults());
    try (Image opened = Images.open(image(), writing)) {
      opened.disk().write(ByteBuffer.wrap(full(3, 512)), 512 << 10);
      opened.disk().resize(2 << 20);
    }
    poke(peek(REFCOUNT_TABLE), 0);
    check(Images.Repair.ALL);

    assertThat(qemuCheck()).isZero();
    byte[] after = Arrays.copyOf(Files.readAllBytes(image()), 4096);
    assertThat(Arrays.copyOfRange(after, first, first + extension.length)).isEqualTo(extension);
  }

  @Test
  void test029VmStateBehindTheDiskAndASnapshotOfAnotherSizeAreOrdinary() throws IOException {
    create("cluster_size=64k", "1M", "write -P 1 0 64k", "write -b -P 11 1T 512");
    String image = image().toString();
    QemuTools.succeed(directory, "qemu-img", "snapshot", "-c", "small", image);
    QemuTools.succeed(directory, "qemu-img", "resize", "-q", image, "2G");
    QemuTools.succeed(directory, "qemu-io", "-f", "qcow2", "-c", "write -P 2 1G 64k", image);
    QemuTools.succeed(directory, "qemu-img", "snapshot", "-c", "large", image);

    assertThat(check(Images.Repair.NONE).isClean()).isEqualTo(qemuCheck() == 0);
    try (Image opened = Images.open(image(), OpenOptions.defaults().withSnapshot("small"))) {
      assertThat(opened.disk().size()).isEqualTo(1 << 20);
    }
    assertThat(read(OpenOptions.defaults().withSnapshot("small"), 0, 512)).isEqualTo(full(1, 512));
    assertThat(read(OpenOptions.defaults().withSnapshot("large"), 1 << 30, 512))
        .isEqualTo(full(2, 512));
    assertThat(read(OpenOptions.defaults(), 1 << 30, 512)).isEqualTo(full(2, 512));
  }

  @Test
  void test242ABitmapInUseIsShownAsThatAndLeftAlone() throws IOException {
    create("cluster_size=64k", "1M", "write -P 1 0 64k");
    String image = image().toString();
    QemuTools.succeed(directory, "qemu-img", "bitmap", "--add", image, "day");
    long directoryOffset = peek(bitmapsExtension() + 24);
    poke(directoryOffset + 12, new byte[] {0, 0, 0, 3});
    byte[] before = Files.readAllBytes(image());

    ImageInfo.Qcow2 info = Images.info(image(), OpenOptions.defaults()).qcow2().orElseThrow();
    assertThat(info.bitmaps()).extracting(ImageInfo.Bitmap::inUse).containsExactly(true);
    assertThat(info.bitmapsProblem()).isEmpty();
    assertThat(check(Images.Repair.NONE).isClean()).isEqualTo(qemuCheck() == 0);
    assertThat(check(Images.Repair.ALL).isClean()).isTrue();

    assertThat(Files.readAllBytes(image())).isEqualTo(before);
  }

  private long bitmapsExtension() throws IOException {
    long at = ByteBuffer.wrap(Files.readAllBytes(image()), 100, 4).getInt();
    while ((int) (peek(at) >>> 32) != 0x23852875) {
      at += 8 + ((int) peek(at) + 7 & ~7);
    }
    return at;
  }

  /** QEMU writes 24 bytes; older ones wrote 16, version 2 none, and newer ones may write more. */
  @ParameterizedTest
  @CsvSource({"3, 24", "3, 42", "3, 1024", "2, 0", "2, 16", "2, 42"})
  void test261TheExtraDataOfSnapshotsOutlivesARepairOfTheTable(int version, int extraBytes)
      throws IOException {
    ImageBuilder builder = new ImageBuilder(version, 12).virtualSize(1 << 16);
    builder.disk().data(0, full(1, 4096));
    builder.snapshot(new SnapshotSpec("1", "kept", 1 << 16, extraBytes));
    builder.snapshot(new SnapshotSpec("2", "fat", 1 << 16, 2048));
    TestImage broken = builder.build();
    broken.writeTo(image());
    long start = broken.snapshotOffsets().get(0);
    byte[] extra = broken.bytes().read(start + 40, extraBytes);

    assertThat(check(Images.Repair.ALL).isClean()).isTrue();

    assertThat(qemuCheck()).isZero();
    long table = peek(SNAPSHOTS);
    try (HostFile file = HostFile.openReadOnly(image())) {
      ByteBuffer kept = ByteBuffer.allocate(extraBytes);
      file.read(kept, table + 40);
      assertThat(kept.array()).isEqualTo(extra);
    }
    assertThat(Images.info(image(), OpenOptions.defaults()).snapshots())
        .extracting(InternalSnapshot::name)
        .startsWith("kept");
  }
}
