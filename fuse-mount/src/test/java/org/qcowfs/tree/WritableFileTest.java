package org.qcowfs.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.fakes.FakeDisk;
import org.qcowfs.fakes.FakeImage;
import org.qcowfs.fakes.Samples;
import org.qcowfs.image.CacheMode;
import org.qcowfs.image.ZeroMode;

final class WritableFileTest {
  private static final int SIZE = 16384;

  private final FakeDisk disk = new FakeDisk(SIZE);
  private final FakeImage image = new FakeImage(disk);

  private FileNode file(WriteRules rules) {
    return ImageTree.disk(image, new WatchedDisk(disk), rules);
  }

  private OpenFile open(WriteRules rules) throws IOException {
    return file(rules).open();
  }

  private OpenFile open() throws IOException {
    return open(WriteRules.defaults());
  }

  private static WriteRules detecting(ZeroDetection detection) {
    return new WriteRules(false, ZeroMode.UNMAP, detection);
  }

  private static ByteBuffer bytes(int count, int value) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(count);
    while (bytes.hasRemaining()) {
      bytes.put((byte) value);
    }
    return bytes.flip();
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    try (OpenFile open = open()) {
      assertThat(open.write(bytes(5, 7), 100)).isEqualTo(5);
      ByteBuffer read = ByteBuffer.allocate(7);
      assertThat(open.read(read, 99)).isEqualTo(7);
      assertThat(read.array()).containsExactly(0, 7, 7, 7, 7, 7, 0);
    }
  }

  @Test
  void aWriteAtTheEndIsShortAndOneBehindItWritesNothing() throws IOException {
    try (OpenFile open = open()) {
      assertThat(open.write(bytes(100, 1), SIZE - 10)).isEqualTo(10);
      assertThat(open.write(bytes(100, 1), SIZE)).isZero();
      assertThat(open.write(bytes(100, 1), Long.MAX_VALUE)).isZero();
    }
    assertThat(disk.done).containsExactly("write 16374+10");
  }

  @Test
  void aDiskGrowsAndShrinksOnlyWhereThatIsAllowed() throws IOException {
    FileNode file = file(WriteRules.defaults());
    assertThat(file.resize(SIZE)).isTrue();
    assertThat(file.resize(SIZE + 1)).isTrue();
    assertThat(file.resize(SIZE)).isFalse();
    assertThat(disk.done).containsExactly("resize 16385");
    assertThat(file.size()).isEqualTo(SIZE + 1);
    assertThat(file(new WriteRules(true, ZeroMode.UNMAP, ZeroDetection.OFF)).resize(10)).isTrue();
    assertThat(file.size()).isEqualTo(10);
  }

  @Test
  void whatLiesBehindTheEndIsLeftOutWhereTheSizeIsKept() throws IOException {
    try (OpenFile open = open()) {
      open.allocate(SIZE - 10, 100, true);
      open.zero(SIZE - 20, 100, true);
      open.punchHole(SIZE - 30, 100);
      open.punchHole(SIZE, 100);
    }
    assertThat(disk.done)
        .containsExactly("allocate 16374+10", "zero KEEP 16364+20", "zero UNMAP 16354+30");
  }

  @Test
  void aRangeBehindTheEndMakesTheDiskLongerWhereTheSizeIsNotKept() throws IOException {
    try (OpenFile open = open()) {
      open.allocate(SIZE - 10, 20, false);
      open.zero(SIZE, 20, false);
    }
    assertThat(disk.done)
        .containsExactly("resize 16394", "allocate 16374+20", "resize 16404", "zero KEEP 16384+20");
  }

  @Test
  void aRangeBeyondAllNumbersIsRefused() throws IOException {
    try (OpenFile open = open()) {
      assertThatIllegalArgumentException().isThrownBy(() -> open.allocate(-1, 10, true));
      assertThatIllegalArgumentException().isThrownBy(() -> open.punchHole(0, 0));
      assertThatThrownBy(() -> open.zero(Long.MAX_VALUE, 10, false))
          .isInstanceOf(ArithmeticException.class);
    }
    assertThat(disk.done).isEmpty();
  }

  @Test
  void aHoleKeepsItsSpaceWhereDiscardsAreIgnored() throws IOException {
    try (OpenFile open = open(new WriteRules(false, ZeroMode.KEEP, ZeroDetection.OFF))) {
      open.punchHole(0, 512);
    }
    assertThat(disk.done).containsExactly("zero KEEP 0+512");
  }

  @Test
  void zerosAreDetectedInWholeAlignedPagesOnly() throws IOException {
    try (OpenFile open = open(detecting(ZeroDetection.ON))) {
      open.write(bytes(8192, 0), 4096);
      open.write(bytes(512, 0), 0);
      open.write(bytes(4096, 0), 512);
      open.write(bytes(4096, 1), 0);
    }
    assertThat(disk.done)
        .containsExactly("zero KEEP 4096+8192", "write 0+512", "write 512+4096", "write 0+4096");
  }

  @Test
  void aSingleByteIsEnoughToBeNoZeros() throws IOException {
    try (OpenFile open = open(detecting(ZeroDetection.UNMAP))) {
      for (int at : new int[] {0, 7, 8, 4095, 4096, 8191}) {
        open.write(bytes(8192, 0).put(at, (byte) 1), 0);
      }
      open.write(bytes(8192, 0), 0);
    }
    assertThat(disk.done).hasSize(7).endsWith("zero UNMAP 0+8192");
    assertThat(disk.done.subList(0, 6)).containsOnly("write 0+8192");
  }

  @Test
  void theCacheModeIsAnAttributeThatTakesKnownNamesOnly() throws IOException {
    image.setCacheMode(CacheMode.WRITEBACK);
    ExtendedAttribute mode =
        file(WriteRules.defaults()).attributes().get(ImageTree.CACHE_ATTRIBUTE);
    assertThat(mode.value()).isEqualTo("writeback");
    assertThat(mode.set("none")).isTrue();
    assertThat(mode.set("None")).isFalse();
    assertThat(image.cacheMode()).contains(CacheMode.NONE);
  }

  @Test
  void theTimeOfTheLastChangeIsThatOfTheLastWriteUnlessItIsSet() throws IOException {
    FileNode file = file(WriteRules.defaults());
    assertThat(file.modified()).isEmpty();
    file.setModified(Instant.EPOCH);
    assertThat(file.modified()).contains(Instant.EPOCH);
    try (OpenFile open = file.open()) {
      open.write(bytes(1, 1), 0);
    }
    assertThat(file.modified().orElseThrow()).isAfter(Instant.EPOCH);
  }

  @Test
  void aFlushOfTheMountIsAFlushOfTheDisk() throws IOException {
    ImageTree.directory(image, new WatchedDisk(disk), WriteRules.defaults()).flush();
    ImageTree.directory(image).flush();
    assertThat(disk.done).containsExactly("flush");
  }

  @Test
  void snapshotsCanOnlyBeRead() throws IOException {
    image.withSnapshot("one", new FakeDisk(512));
    DirectoryNode root = ImageTree.directory(image, new WatchedDisk(disk), WriteRules.defaults());
    DirectoryNode snapshots = (DirectoryNode) root.child("snapshots").orElseThrow();
    DirectoryNode snapshot = (DirectoryNode) snapshots.child("one").orElseThrow();
    FileNode file = (FileNode) snapshot.child("disk.raw").orElseThrow();
    assertThat(file.isWritable()).isFalse();
    assertThatThrownBy(() -> file.resize(1)).isInstanceOf(ReadOnlyImageException.class);
    try (OpenFile open = file.open()) {
      assertThatThrownBy(() -> open.write(bytes(1, 1), 0))
          .isInstanceOf(ReadOnlyImageException.class);
    }
    assertThat(ImageTree.disk(image).isWritable()).isFalse();
  }

  @Test
  void partitionsFollowTheTableThatIsWritten() throws IOException {
    WatchedDisk watched = new WatchedDisk(disk);
    DirectoryNode root = ImageTree.directory(image, watched, WriteRules.defaults());
    DirectoryNode partitions = (DirectoryNode) root.child("partitions").orElseThrow();
    assertThat(partitions.names()).isEmpty();
    watched.write(Samples.masterBootRecord(), 0);
    assertThat(partitions.names()).containsExactly("1.raw");
    Node before = partitions.child("1.raw").orElseThrow();
    watched.write(bytes(1, 9), 512);
    assertThat(partitions.child("1.raw")).containsSame(before);
    assertThat(((FileNode) before).mayBeCached()).isFalse();
  }
}
