package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.check.LeakRecovery;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.testkit.QemuTools;
import org.qcowfs.testkit.crash.HostFiles;
import org.qcowfs.testkit.crash.ImageOracle;
import org.qcowfs.testkit.storage.MemoryStorage;

/** An image whose mount has died with clusters in reserve. */
class LeakRecoveryTest {
  private static final CrashVariant VARIANT = CrashVariant.of(12, 16, CacheMode.WRITEBACK);
  private static final int WRITTEN = 40_000;

  @TempDir private Path directory;
  private MemoryStorage image = new MemoryStorage();

  @BeforeEach
  void letAMountDie() throws IOException {
    image = VARIANT.create(directory).image();
    SimulatedDisk disk = SimulatedDisk.open(image, image, VARIANT);
    disk.write(written(), 0);
    disk.flush();
    assertThat(leaks()).isPositive();
  }

  private static ByteBuffer written() {
    byte[] bytes = new byte[WRITTEN];
    java.util.Arrays.fill(bytes, (byte) 7);
    return ByteBuffer.wrap(bytes);
  }

  private ImageOracle oracle() {
    ImageOracle oracle = new ImageOracle(new HostFiles(List.of(image)), new long[0]);
    assertThat(oracle.check()).isEmpty();
    return oracle;
  }

  private int leaks() {
    return oracle().leaks();
  }

  private long recover() throws IOException {
    ByteBuffer cluster = ByteBuffer.allocate(4096);
    image.read(cluster, 0);
    Header header = Header.decode(cluster.flip().duplicate());
    return new LeakRecovery(image, header, HeaderExtensions.decode(header, cluster)).recover();
  }

  private void assertHoldsWhatWasWritten() throws IOException {
    SimulatedDisk disk = SimulatedDisk.open(image, image, VARIANT);
    ByteBuffer found = ByteBuffer.allocate(WRITTEN);
    disk.read(found, 0);
    assertThat(found.flip()).isEqualTo(written());
  }

  /** Lets QEMU's tools change the image. */
  private void edit(String... command) throws IOException {
    Path file = directory.resolve("edited.qcow2");
    Files.write(file, image.bytes());
    QemuTools.succeed(directory, command);
    image = MemoryStorage.of(Files.readAllBytes(file));
  }

  @Test
  void allThatLeakedIsGivenBackOnce() throws IOException {
    int leaked = leaks();
    assertThat(recover()).isEqualTo(leaked);
    assertThat(leaks()).isZero();
    assertThat(recover()).isZero();
    assertHoldsWhatWasWritten();
  }

  @Test
  void anImageThatQemuHasWrittenToStaysWhole() throws IOException {
    edit("qemu-io", "-c", "write -P 9 100k 200k", "edited.qcow2");

    recover();

    assertThat(leaks()).isZero();
    assertHoldsWhatWasWritten();
    edit("qemu-io", "-c", "read -P 9 100k 200k", "edited.qcow2");
  }

  @Test
  void anImageOfWhichQemuHasTakenASnapshotStaysWhole() throws IOException {
    edit("qemu-img", "snapshot", "-c", "later", "edited.qcow2");
    edit("qemu-io", "-c", "write -P 9 0 64k", "edited.qcow2");

    recover();

    assertThat(leaks()).isZero();
    edit("qemu-img", "snapshot", "-a", "later", "edited.qcow2");
    edit("qemu-img", "check", "edited.qcow2");
    assertHoldsWhatWasWritten();
  }

  @Test
  void whereAnExtensionIsUnknownNothingIsGivenBack() throws IOException {
    ByteBuffer cluster = ByteBuffer.allocate(4096);
    image.read(cluster, 0);
    Header header = Header.decode(cluster.flip().duplicate());
    int end = HeaderExtensions.decode(header, cluster).endOffset();
    image.write(ByteBuffer.allocate(16).putInt(0x12345678).putInt(8).clear(), end);
    byte[] before = image.bytes();

    assertThat(recover()).isZero();

    assertThat(image.bytes()).isEqualTo(before);
  }

  @Test
  void whereATableIsMalformedNothingIsGivenBack() throws IOException {
    long l1Table = image.word(40);
    long l2Table = image.word(l1Table) & 0x00ff_ffff_ffff_fe00L;
    image.write(ByteBuffer.allocate(8).putLong(l2Table | 512).flip(), l1Table);
    byte[] before = image.bytes();

    assertThat(recover()).isZero();

    assertThat(image.bytes()).isEqualTo(before);
  }
}
