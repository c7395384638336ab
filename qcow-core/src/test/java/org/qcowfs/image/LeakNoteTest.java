package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.check.LeakRecovery;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.testkit.crash.HostFiles;
import org.qcowfs.testkit.crash.ImageOracle;
import org.qcowfs.testkit.storage.MemoryStorage;

/** The note of leaks in an image whose header has the backing file's name in its way. */
final class LeakNoteTest {
  private static final CrashVariant VARIANT =
      CrashVariant.of(12, 16, CacheMode.WRITEBACK, CrashVariant.Trait.BACKING);
  private static final int CLUSTER = 4096;

  @TempDir private Path directory;

  private static Header header(MemoryStorage image, ByteBuffer cluster) throws IOException {
    image.read(cluster, 0);
    return Header.decode(cluster.flip().duplicate());
  }

  @Test
  void anImageThatACrashHasLeftWithTheNameInTwoPlacesGetsItsNote() throws IOException {
    MemoryStorage image = VARIANT.create(directory).image();
    ByteBuffer cluster = ByteBuffer.allocate(CLUSTER);
    Header header = header(image, cluster);
    int name = (int) header.backingNameOffset();
    int moved = name + 64;
    image.write(cluster.slice(name, header.backingNameBytes()), moved);
    image.write(ByteBuffer.allocate(8).putLong(moved).flip(), 8);

    SimulatedDisk disk = SimulatedDisk.open(image, image, VARIANT);
    disk.write(ByteBuffer.wrap(new byte[40_000]).put(0, (byte) 7), 0);
    disk.flush();
    ByteBuffer after = ByteBuffer.allocate(CLUSTER);
    Header left = header(image, after);
    long returned = new LeakRecovery(image, left, HeaderExtensions.decode(left, after)).recover();

    assertThat(left.backingNameOffset()).isEqualTo(moved);
    assertThat(returned).isPositive();
    ImageOracle oracle = new ImageOracle(new HostFiles(List.of(image)), VARIANT.backing());
    assertThat(oracle.check()).isEmpty();
    assertThat(oracle.leaks()).isZero();
  }

  @Test
  void aMalformedNoteIsLeftAloneAndGetsNoSecondOneBesideIt() throws IOException {
    CrashVariant variant = CrashVariant.of(12, 16, CacheMode.WRITEBACK);
    MemoryStorage image = variant.create(directory).image();
    ByteBuffer cluster = ByteBuffer.allocate(CLUSTER);
    Header header = header(image, cluster);
    int end = HeaderExtensions.decode(header, cluster).endOffset();
    ByteBuffer malformed = ByteBuffer.allocate(8).putInt(HeaderExtensions.LEAK_RANGE).putInt(3);
    image.write(malformed.flip(), end);

    SimulatedDisk disk = SimulatedDisk.open(image, image, variant);
    disk.write(ByteBuffer.wrap(new byte[40_000]).put(0, (byte) 7), 0);
    disk.flush();

    ByteBuffer after = ByteBuffer.allocate(CLUSTER);
    HeaderExtensions left = HeaderExtensions.decode(header(image, after), after);
    assertThat(left.hasMalformedLeakRange()).isTrue();
  }
}
