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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.qcowfs.check.ImageCheck;
import org.qcowfs.error.HostIoException;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.testkit.QemuTools;

/** Metadata that turns out to be wrong, or would be overwritten, while an image is written to. */
final class OverlapTest {
  private static final int CLUSTER = 65536;
  private static final long COPIED = 1L << 63;
  private static final long REFCOUNT_TABLE = 0x10000;
  private static final long REFCOUNT_BLOCK = 0x20000;
  private static final long L1 = 0x30000;
  private static final long L2 = 0x40000;
  private static final long DATA = 0x50000;
  private static final long FREE_IN_DISK = 40L * CLUSTER;
  private static final int EIO = 5;

  @TempDir private Path directory;
  private Path file;

  /** A word of the image that is overwritten. */
  record Poke(long hostOffset, long word) {}

  /** What is done to the disk, which must fail. */
  @FunctionalInterface
  interface Use {
    void of(BlockDevice disk) throws IOException;
  }

  /**
   * An image that is wrong, and how that is found.
   *
   * @param problem part of the message
   */
  record Case(String name, List<Poke> pokes, Use use, String problem) {
    @Override
    public String toString() {
      return name;
    }
  }

  @BeforeEach
  void create() throws IOException {
    file = directory.resolve("disk.qcow2");
    qemu("qemu-img", "create", "-q", "-f", "qcow2", "disk.qcow2", "1G");
    qemu("qemu-io", "-c", "write -P 1 0 256k", "disk.qcow2");
  }

  private String qemu(String... command) throws IOException {
    return QemuTools.succeed(directory, command);
  }

  private void poke(long hostOffset, long word) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(Long.BYTES).putLong(word).flip(), hostOffset);
    }
  }

  private long word(long hostOffset) throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(file)).getLong((int) hostOffset);
  }

  private static Use write(long guestOffset) {
    return disk -> disk.write(ByteBuffer.allocateDirect(4096).put(0, (byte) 7), guestOffset);
  }

  private static Use zero(ZeroMode mode) {
    return disk -> disk.writeZeroes(0, CLUSTER, mode);
  }

  /** An L2 entry that leads to what is no data. */
  private static Case misled(String name, long target, Use use, String problem) {
    return new Case(name, List.of(new Poke(L2, target)), use, problem);
  }

  /** A refcount that is 0: of the first four clusters, which are the header's and those behind. */
  private static Case uncounted(String name, long firstFour, String problem) {
    List<Poke> pokes = List.of(new Poke(REFCOUNT_BLOCK, firstFour));
    return new Case(name, pokes, write(FREE_IN_DISK), problem);
  }

  static List<Case> cases() {
    String table = "overlaps the refcount table";
    String misaligned = "not aligned to a cluster";
    return List.of(
        misled("write to refcount table", COPIED | REFCOUNT_TABLE, write(0), table),
        misled(
            "write to refcount block", COPIED | REFCOUNT_BLOCK, write(9), "overlaps a refcount bl"),
        misled("write to L1 table", COPIED | L1, write(0), "overlaps the active L1 table"),
        misled("write to L2 table", COPIED | L2, write(0), "overlaps an active L2 table"),
        misled("copy from L1 table", L1, write(0), "overlaps the active L1 table"),
        misled("write over zeros", COPIED | L1 | 1, write(0), "overlaps the active L1 table"),
        misled("discard", COPIED | REFCOUNT_TABLE, zero(ZeroMode.UNMAP), table),
        misled("discard of a shared cluster", REFCOUNT_TABLE, zero(ZeroMode.UNMAP), table),
        misled("zeros", COPIED | REFCOUNT_TABLE, zero(ZeroMode.KEEP), table),
        misled("write over compressed", 1L << 62 | REFCOUNT_TABLE, write(0), table),
        misled("write past the end", COPIED | 0x10000000, write(0), "lies past the end"),
        misled("misaligned, written", COPIED | DATA + 0x2a00, write(0), misaligned),
        misled("misaligned, zeroed", COPIED | DATA + 512, zero(ZeroMode.UNMAP), misaligned),
        misled(
            "misaligned, read",
            COPIED | DATA + 512,
            disk -> disk.read(ByteBuffer.allocateDirect(512), 0),
            misaligned),
        uncounted("header", 0x0000_0001_0001_0001L, "the header counts as a free cluster"),
        uncounted("refcount table", 0x0001_0000_0001_0001L, table),
        uncounted("L1 table", 0x0001_0001_0001_0000L, "overlaps the active L1 table"),
        new Case(
            "no refcounts",
            List.of(new Poke(REFCOUNT_TABLE, 0)),
            write(FREE_IN_DISK),
            "the header counts as a free cluster"));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void anImageFoundCorruptIsMarkedAndNoLongerWrittenTo(Case wrong) throws IOException {
    for (Poke poke : wrong.pokes()) {
      poke(poke.hostOffset(), poke.word());
    }
    byte[] before = Files.readAllBytes(file);

    try (Image image = openForWriting()) {
      assertThat(image.writeStop()).isEmpty();
      assertStops(() -> wrong.use().of(image.disk()), wrong.problem());

      assertStops(() -> write(CLUSTER).of(image.disk()), wrong.problem());
      assertStops(() -> image.disk().writeZeroes(0, CLUSTER, ZeroMode.UNMAP), wrong.problem());
      assertStops(image.disk()::flush, wrong.problem());
      assertReadable(image);
      assertThat(image.writeStop().orElseThrow()).contains(wrong.problem());
      assertThat(image.info().qcow2().orElseThrow().corrupt()).isTrue();
      assertThat(image.info().writeStop()).isEqualTo(image.writeStop());
      assertStops(image::close, wrong.problem());
    } catch (HostIoException closedAgain) {
      assertThat(closedAgain).hasMessageContaining(wrong.problem());
    }

    before[79] |= 2;
    assertThat(Files.readAllBytes(file)).as("all but the corrupt bit").isEqualTo(before);
    assertReadOnlyUntilRepaired();
  }

  private Image openForWriting() throws IOException {
    return Images.open(file, OpenOptions.defaults().withWrite(WriteOptions.defaults()));
  }

  private interface Step {
    void take() throws IOException;
  }

  private void assertStops(Step step, String problem) {
    assertThatThrownBy(step::take)
        .isInstanceOfSatisfying(HostIoException.class, e -> assertThat(e.errno()).isEqualTo(EIO))
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(problem)
        .hasMessageContaining("has been marked corrupt and is no longer written to: unmount it")
        .hasMessageNotContaining("\n");
  }

  private static void assertReadable(Image image) throws IOException {
    ByteBuffer read = ByteBuffer.allocateDirect(512);
    image.disk().read(read, 2L * CLUSTER);
    assertThat(read.get(0)).isIn((byte) 1, (byte) 0);
  }

  private void assertReadOnlyUntilRepaired() throws IOException {
    assertThat(qemu("qemu-img", "info", "--output=json", "disk.qcow2"))
        .contains("\"corrupt\": true");
    assertThatThrownBy(this::openForWriting)
        .isInstanceOf(ReadOnlyImageException.class)
        .hasMessageContaining("marked corrupt");
    try (Image image = Images.open(file, OpenOptions.defaults())) {
      assertReadable(image);
    }

    Images.check(file, OpenOptions.defaults(), Images.Repair.ALL, ImageCheck.Progress.SILENT);

    qemu("qemu-img", "check", "-q", "disk.qcow2");
    try (Image image = openForWriting()) {
      write(2 * CLUSTER).of(image.disk());
      write(FREE_IN_DISK).of(image.disk());
    }
    qemu("qemu-img", "check", "-q", "disk.qcow2");
  }

  /** Their refcounts are taken for free by the reserve, which gives them back at the end. */
  @Test
  void aReferenceThatDoesNotCountCannotBeDropped() throws IOException {
    poke(REFCOUNT_BLOCK + 8, 0x0001_0000_0000_0000L);

    Image image = openForWriting();
    image.disk().writeZeroes(0, 3L * CLUSTER, ZeroMode.UNMAP);
    image.disk().flush();

    assertStops(image::close, "the cluster is in use, but its refcount is 0");
    assertReadOnlyUntilRepaired();
  }

  @ParameterizedTest
  @MethodSource("snapshotTargets")
  void whatBelongsToAnInternalSnapshotIsNotWrittenTo(String structure) throws IOException {
    qemu("qemu-img", "snapshot", "-c", "one", "disk.qcow2");
    qemu("qemu-io", "-c", "write -P 2 0 64k", "disk.qcow2");
    long snapshotTable = word(64);
    long target =
        switch (structure) {
          case "the snapshot table" -> snapshotTable;
          case "the L1 table of an internal snapshot" -> word(snapshotTable);
          default -> word(word(snapshotTable)) & ~COPIED;
        };
    poke(word(L1) & ~COPIED, COPIED | target);

    Image image = openForWriting();

    assertStops(() -> write(0).of(image.disk()), "overlaps " + structure);
    assertThatThrownBy(image::close).isInstanceOf(HostIoException.class);
    assertReadOnlyUntilRepaired();
    assertThat(qemu("qemu-img", "snapshot", "-l", "disk.qcow2")).contains("one");
  }

  static List<String> snapshotTargets() {
    return List.of(
        "the snapshot table",
        "the L1 table of an internal snapshot",
        "an L2 table of an internal snapshot");
  }

  @Test
  void anL2TableThatASnapshotSharesIsNotChangedInItsPlace() throws IOException {
    qemu("qemu-img", "snapshot", "-c", "one", "disk.qcow2");
    poke(L1, word(L1) | COPIED);

    Image image = openForWriting();

    assertStops(
        () -> write(FREE_IN_DISK).of(image.disk()), "an internal snapshot shares the table");
    assertThatThrownBy(image::close).isInstanceOf(HostIoException.class);
    assertReadOnlyUntilRepaired();
  }

  /** COPIED is clear, so there are other pointers to the clusters, however often they count. */
  @Test
  void theLastReferenceToASharedClusterIsLeftToWhoeverSharesIt() throws IOException {
    long entry = word(L2 + 8);
    poke(L2, entry & ~COPIED);

    try (Image image = openForWriting()) {
      write(0).of(image.disk());
    }

    assertThat(word(L2 + 8)).isEqualTo(entry);
    Corruptions after = Corruptions.of(file).orElseThrow();
    assertThat(after).isEqualTo(new Corruptions(0, 0, false));
  }

  /** Version 2 has no corrupt bit. */
  @Test
  void anImageOfVersion2IsNoLongerWrittenToEither() throws IOException {
    qemu("qemu-img", "create", "-q", "-f", "qcow2", "-o", "compat=0.10", "disk.qcow2", "1G");
    qemu("qemu-io", "-c", "write -P 1 0 256k", "disk.qcow2");
    poke(L2, COPIED | L1);
    byte[] before = Files.readAllBytes(file);

    Image image = openForWriting();
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> write(0).of(image.disk()))
          .isInstanceOf(HostIoException.class)
          .hasMessageContaining("overlaps the active L1 table")
          .hasMessageContaining("cannot be marked corrupt, as it has version 2, and is no longer");
    }
    assertThat(image.info().qcow2().orElseThrow().corrupt()).isFalse();
    assertThatThrownBy(image::close).hasMessageContaining("overlaps the active L1 table");

    assertThat(Files.readAllBytes(file)).isEqualTo(before);
  }

  @Test
  void anImageThatIsOnlyReadIsNotMarked() throws IOException {
    poke(L2, COPIED | DATA + 512);
    byte[] before = Files.readAllBytes(file);

    try (Image image = Images.open(file, OpenOptions.defaults())) {
      assertThatThrownBy(() -> image.disk().read(ByteBuffer.allocateDirect(512), 0))
          .hasMessageContaining("not aligned to a cluster");
      assertThat(image.writeStop()).isEmpty();
    }

    assertThat(Files.readAllBytes(file)).isEqualTo(before);
  }

  /** The backing file is somebody else's, and only read. */
  @Test
  void aCorruptBackingFileDoesNotStopItsOverlay() throws IOException {
    qemu("qemu-img", "create", "-q", "-f", "qcow2", "-b", "disk.qcow2", "-F", "qcow2", "top.qcow2");
    poke(L2, COPIED | DATA + 512);
    file = directory.resolve("top.qcow2");

    try (Image image = openForWriting()) {
      assertThatThrownBy(() -> write(0).of(image.disk())).hasMessageContaining("not aligned");
      write(8L * CLUSTER).of(image.disk());
      image.disk().flush();
      assertThat(image.writeStop()).isEmpty();
    }

    assertThat(qemu("qemu-img", "info", "--output=json", "-U", "top.qcow2"))
        .doesNotContain("\"corrupt\": true");
  }
}
