package org.qcowfs.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.qcowfs.error.HostIoException;
import org.qcowfs.fakes.FakeDisk;
import org.qcowfs.fakes.FakeImage;
import org.qcowfs.fakes.KeptPages;
import org.qcowfs.image.ZeroMode;

final class PartitionFileTest {
  private static final int SIZE = 32 << 10;
  private static final int SECTOR = 512;
  private static final int FIRST_ENTRY = 446;
  private static final int ENOSPC = 28;
  private static final int ESTALE = 116;

  private final FakeDisk disk = new FakeDisk(SIZE);
  private final WatchedDisk watched = new WatchedDisk(disk);
  private final DirectoryNode root =
      ImageTree.directory(new FakeImage(disk), watched, WriteRules.defaults());
  private final KeptPages cache = new KeptPages();

  /** Partition 1 at sector 8, 4 sectors long. */
  @BeforeEach
  void partition() throws IOException {
    partition(8, 4);
  }

  private void partition(int startSector, int sectors) throws IOException {
    ByteBuffer table = ByteBuffer.allocate(SECTOR);
    entry(table, FIRST_ENTRY, 0x83, startSector, sectors);
    table.put(510, (byte) 0x55).put(511, (byte) 0xAA);
    watched.write(table, 0);
    disk.done.clear();
  }

  private static void entry(ByteBuffer table, int at, int type, int startSector, int sectors) {
    table.put(at + 4, (byte) type).put(at + 8, (byte) startSector).put(at + 12, (byte) sectors);
  }

  private FileNode file(String name) throws IOException {
    Node node = root;
    for (String part : name.split("/", -1)) {
      node = ((DirectoryNode) node).child(part).orElseThrow();
    }
    return (FileNode) node;
  }

  private OpenFile open() throws IOException {
    return file("partitions/1.raw").open();
  }

  private OpenFile openDisk(boolean forWriting) throws IOException {
    FileNode file = file("disk.raw");
    OpenFile open = forWriting ? file.openForWriting() : file.open();
    kept = open.cachedIn(cache, false);
    return open;
  }

  private boolean kept;

  private static ByteBuffer bytes(int count, int value) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(count);
    while (bytes.hasRemaining()) {
      bytes.put((byte) value);
    }
    return bytes.flip();
  }

  private static void assertStale(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            HostIoException.class, e -> assertThat(e.errno()).isEqualTo(ESTALE));
  }

  @Test
  void aWriteArrivesOnTheDiskWhereThePartitionLies() throws IOException {
    try (OpenFile open = open()) {
      assertThat(open.write(bytes(5, 7), 10)).isEqualTo(5);
      assertThat(disk.done).containsExactly("write 4106+5");
      assertThat(open.read(bytes(6, 0), 9)).isEqualTo(6);
    }
    assertThat(disk.bytes[4106]).isEqualTo((byte) 7);
    assertThat(file("partitions/1.raw").isWritable()).isTrue();
  }

  @Test
  void aWriteAtTheEndIsShortAndTheNextPartitionIsSafe() throws IOException {
    try (OpenFile open = open()) {
      assertThat(open.write(bytes(100, 1), 4 * SECTOR - 10)).isEqualTo(10);
      assertThat(open.write(bytes(100, 1), 4 * SECTOR)).isZero();
      assertThat(open.write(bytes(100, 1), Long.MAX_VALUE)).isZero();
      assertThat(open.read(bytes(100, 0), 4 * SECTOR - 1)).isEqualTo(1);
    }
    assertThat(disk.bytes[12 * SECTOR]).isZero();
  }

  @Test
  void rangesAreZeroedAndPunchedInThePartitionOnly() throws IOException {
    try (OpenFile open = open()) {
      open.zero(0, 10, false);
      open.zero(4 * SECTOR - 10, 100, true);
      open.punchHole(SECTOR, 100 * SECTOR);
      open.punchHole(4 * SECTOR, SECTOR);
      open.allocate(1, 2, true);
    }
    assertThat(disk.done)
        .containsExactly(
            "zero KEEP 4096+10", "zero KEEP 6134+10", "zero UNMAP 4608+1536", "allocate 4097+2");
  }

  @Test
  void theSizeIsFixed() throws IOException {
    FileNode file = file("partitions/1.raw");
    assertThat(file.resize(4 * SECTOR)).isTrue();
    assertThat(file.resize(0)).isFalse();
    assertThat(file.resize(5 * SECTOR)).isFalse();
    try (OpenFile open = file.open()) {
      assertThatThrownBy(() -> open.allocate(0, 5 * SECTOR, false))
          .isInstanceOfSatisfying(
              HostIoException.class, e -> assertThat(e.errno()).isEqualTo(ENOSPC));
    }
    assertThat(disk.done).isEmpty();
  }

  @Test
  void aFlushOfAPartitionIsAFlushOfTheDisk() throws IOException {
    file("partitions/1.raw").flush();
    try (OpenFile open = open()) {
      open.flush();
    }
    assertThat(disk.done).containsExactly("flush", "flush");
  }

  @Test
  void nothingIsReachedThroughAPartitionThatHasMoved() throws IOException {
    try (OpenFile open = open()) {
      partition(9, 4);
      assertStale(() -> open.write(bytes(1, 1), 0));
      assertStale(() -> open.punchHole(0, 1));
      assertStale(() -> open.zero(0, 1, true));
      assertStale(() -> open.allocate(0, 1, true));
      assertStale(() -> open.read(bytes(1, 0), 0));
      open.flush();
    }
    assertThat(disk.done).containsExactly("flush");
  }

  @Test
  void nothingIsReachedThroughAPartitionThatIsGone() throws IOException {
    try (OpenFile open = open()) {
      watched.writeZeroes(0, SECTOR, ZeroMode.UNMAP);
      assertStale(() -> open.write(bytes(1, 1), 0));
    }
    assertThat(((DirectoryNode) root.child("partitions").orElseThrow()).names()).isEmpty();
  }

  @Test
  void aPartitionThatGrowsOrShrinksInPlaceIsStillOpen() throws IOException {
    try (OpenFile open = open()) {
      partition(8, 6);
      assertThat(open.write(bytes(1, 1), 5 * SECTOR)).isEqualTo(1);
      partition(8, 2);
      assertThat(open.write(bytes(2 * SECTOR, 1), SECTOR)).isEqualTo(SECTOR);
      assertThat(open.write(bytes(1, 1), 5 * SECTOR)).isZero();
    }
  }

  @Test
  void theTableIsReadAgainOnlyAfterItsOwnSectorsChange() throws IOException {
    FileNode before = file("partitions/1.raw");
    watched.write(bytes(SECTOR, 1), 20 * SECTOR);
    disk.broken();
    assertThat(file("partitions/1.raw")).isSameAs(before);
    disk.repaired();
    watched.resize(SIZE / 2);
    disk.broken();
    assertThat(((DirectoryNode) root.child("partitions").orElseThrow()).names()).isEmpty();
  }

  /**
   * The table of the logical partitions lies in partition 1: a write must neither hang nor hide.
   */
  @Test
  void aTableCanBeChangedThroughAPartitionThatHoldsIt() throws IOException {
    ByteBuffer table = ByteBuffer.wrap(Arrays.copyOf(disk.bytes, SECTOR));
    table.put(FIRST_ENTRY + 12, (byte) 20);
    entry(table, FIRST_ENTRY + 16, 5, 16, 20);
    watched.write(table, 0);
    ByteBuffer logical = ByteBuffer.allocate(SECTOR);
    entry(logical, FIRST_ENTRY, 0x83, 1, 2);
    watched.write(logical.put(510, (byte) 0x55).put(511, (byte) 0xAA), 16 * SECTOR);
    DirectoryNode partitions = (DirectoryNode) root.child("partitions").orElseThrow();
    assertThat(partitions.names()).containsExactly("1.raw", "5.raw");
    try (OpenFile open = open()) {
      open.write(bytes(SECTOR, 0), 8 * SECTOR);
    }
    assertThat(partitions.names()).containsExactly("1.raw");
  }

  @Test
  void nothingIsAskedOfTheKernelWhileNobodyHasTheDiskOpen() throws IOException {
    try (OpenFile open = open()) {
      openDisk(false).close();
      assertThat(kept).isTrue();
      open.write(bytes(1, 1), 0);
      assertThat(cache.dropped).isEmpty();
      openDisk(false).close();
      assertThat(kept).as("pages kept from before the write").isFalse();
      openDisk(false).close();
      assertThat(kept).isTrue();
    }
  }

  @Test
  void everyOpenForgetsOldPagesUntilTheLastIsClosed() throws IOException {
    try (OpenFile open = open()) {
      open.write(bytes(1, 1), 0);
      try (OpenFile first = openDisk(false);
          OpenFile second = openDisk(true)) {
        assertThat(kept).isFalse();
        assertThat(second).isNotSameAs(first);
      }
    }
  }

  @Test
  void readersOfTheDiskForgetWhatIsWrittenThroughThePartition() throws IOException {
    try (OpenFile whole = openDisk(false);
        OpenFile open = open()) {
      open.write(bytes(3, 1), 1);
      open.punchHole(10, 5);
      open.read(bytes(4, 0), 0);
      assertThat(cache.dropped).containsExactly("4097+3", "4106+5");
      assertThat(whole).isNotNull();
    }
  }

  @Test
  void whatWritersOfTheDiskHaveMappedIsWrittenOutFirst() throws IOException {
    try (OpenFile whole = openDisk(true);
        OpenFile open = open()) {
      open.read(bytes(4, 0), 0);
      assertThat(cache.dropped).containsExactly("4096+4");
      open.write(bytes(3, 1), 1);
      assertThat(cache.dropped).containsExactly("4096+4", "4097+3", "4097+3");
      assertThat(whole).isNotNull();
    }
  }

  @Test
  void pagesAreForgottenEvenAfterAWriteThatFailed() throws IOException {
    try (OpenFile whole = openDisk(false);
        OpenFile open = open()) {
      open.read(bytes(1, 0), 0);
      disk.broken();
      assertThatThrownBy(() -> open.write(bytes(3, 1), 1)).isInstanceOf(IOException.class);
      assertThat(cache.dropped).containsExactly("4097+3");
      assertThat(whole).isNotNull();
    }
  }

  /** The kernel may hold a page locked for a write, but waits with pages that it writes out. */
  @Test
  void onlyAProgramsOwnWriteLooksForPagesThatWereBroughtBackWithoutIt() throws IOException {
    try (OpenFile disk = openDisk(true);
        OpenFile partition = open()) {
      partition.write(bytes(3, 1), 1);
      disk.writeBack(bytes(10, 2), 8000);
      assertThat(cache.compared).isEmpty();
      disk.write(bytes(10, 2), 8000);
      assertThat(cache.compared).containsExactly("8000+10");
    }
  }
}
