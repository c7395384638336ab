package org.qcowfs.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.qcowfs.fakes.Samples.data;
import static org.qcowfs.fakes.Samples.hole;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.qcowfs.fakes.FakeDisk;
import org.qcowfs.fakes.FakeImage;
import org.qcowfs.fakes.Samples;
import org.qcowfs.image.Image;
import org.qcowfs.report.AllocationMap;
import org.qcowfs.report.InfoJson;
import org.qcowfs.report.MapJson;

final class ImageTreeTest {
  private static FakeDisk disk() {
    FakeDisk disk = new FakeDisk(4096).with(data(0, 100, 0), hole(100, 2000), data(2100, 1996, 9));
    disk.bytes[700] = 7;
    disk.bytes[4095] = 9;
    return disk;
  }

  private static FakeDisk partitioned() {
    FakeDisk disk = disk();
    byte[] record = Samples.masterBootRecord().array();
    System.arraycopy(record, 0, disk.bytes, 0, record.length);
    return disk;
  }

  private static Optional<Node> find(Node from, String path) throws IOException {
    Node node = from;
    for (String name : path.split("/", -1)) {
      Optional<Node> child =
          node instanceof DirectoryNode directory ? directory.child(name) : Optional.empty();
      if (child.isEmpty()) {
        return Optional.empty();
      }
      node = child.get();
    }
    return Optional.of(node);
  }

  private static DirectoryNode directory(Node from, String path) throws IOException {
    return (DirectoryNode) find(from, path).orElseThrow();
  }

  private static FileNode file(Node from, String path) throws IOException {
    return (FileNode) find(from, path).orElseThrow();
  }

  private static byte[] contents(FileNode file) throws IOException {
    try (OpenFile open = file.open()) {
      ByteBuffer buffer = ByteBuffer.allocate((int) file.size() + 10);
      assertThat(open.read(buffer, 0)).isEqualTo((int) file.size());
      return Arrays.copyOf(buffer.array(), buffer.position());
    }
  }

  private static String text(FileNode file) throws IOException {
    return new String(contents(file), StandardCharsets.UTF_8);
  }

  @Test
  void theRootListsDiskPartitionsSnapshotsAndDescription() throws IOException {
    assertThat(ImageTree.directory(new FakeImage(disk())).names())
        .containsExactly("disk.raw", "partitions", "snapshots", ".qcowfs");
  }

  @Test
  void whatIsNotThereIsNotFound() throws IOException {
    DirectoryNode root = ImageTree.directory(new FakeImage(disk()));
    assertThat(find(root, "other")).isEmpty();
    assertThat(find(root, "snapshots/x")).isEmpty();
    assertThat(find(root, "partitions/1.raw")).isEmpty();
    assertThat(directory(root, "partitions").names()).isEmpty();
    assertThat(directory(root, "snapshots").names()).isEmpty();
  }

  @Test
  void theDiskIsReadToItsEndAndNotBeyond() throws IOException {
    FakeDisk disk = disk();
    try (OpenFile open = ImageTree.disk(new FakeImage(disk)).open()) {
      ByteBuffer buffer = ByteBuffer.allocate(20);
      assertThat(open.read(buffer, 4086)).isEqualTo(10);
      assertThat(buffer.position()).isEqualTo(10);
      assertThat(buffer.limit()).isEqualTo(20);
      assertThat(buffer.get(9)).isEqualTo((byte) 9);
      assertThat(open.read(buffer, 4096)).isZero();
      assertThat(open.read(buffer, Long.MAX_VALUE)).isZero();
    }
    assertThat(contents(ImageTree.disk(new FakeImage(disk)))).isEqualTo(disk.bytes);
  }

  @Test
  void onlyDataCountsAsAllocatedAndIsCountedOnce() throws IOException {
    FakeDisk disk = disk();
    FileNode file = ImageTree.disk(new FakeImage(disk));
    assertThat(disk.extentQueries()).isZero();
    assertThat(file.allocatedBytes()).isEqualTo(100 + 1996);
    assertThat(file.allocatedBytes()).isEqualTo(100 + 1996);
    assertThat(disk.extentQueries()).isEqualTo(1);
  }

  @Test
  void aDiskWithBrokenMetadataCountsAsFullAndCanBeListed() throws IOException {
    DirectoryNode root = ImageTree.directory(new FakeImage(disk().broken()));
    FileNode disk = file(root, "disk.raw");
    assertThat(disk.size()).isEqualTo(4096);
    assertThat(disk.allocatedBytes()).isEqualTo(4096);
    assertThatIOException().isThrownBy(() -> contents(disk)).withMessage("broken on purpose");
  }

  @Test
  void aPartitionIsAWindowOntoTheDisk() throws IOException {
    DirectoryNode root = ImageTree.directory(new FakeImage(partitioned()));
    assertThat(directory(root, "partitions").names()).containsExactly("1.raw");
    FileNode partition = file(root, "partitions/1.raw");
    assertThat(partition.size()).isEqualTo(512);
    assertThat(partition.allocatedBytes()).isZero();
    assertThat(contents(partition)[700 - 512]).isEqualTo((byte) 7);
  }

  @Test
  void anUnreadablePartitionTableShowsNoPartitionsAndIsTriedAgain() throws IOException {
    FakeDisk disk = partitioned().broken();
    DirectoryNode root = ImageTree.directory(new FakeImage(disk));
    assertThat(directory(root, "partitions").names()).isEmpty();
    disk.repaired();
    assertThat(directory(root, "partitions").names()).containsExactly("1.raw");
  }

  @Test
  void eachSnapshotHasItsDiskAndPartitions() throws IOException {
    FakeDisk old = partitioned();
    old.bytes[0] = 1;
    DirectoryNode root =
        ImageTree.directory(new FakeImage(disk()).withSnapshot("before/upgrade", old));
    assertThat(directory(root, "snapshots").names()).containsExactly("before%2Fupgrade");
    DirectoryNode snapshot = directory(root, "snapshots/before%2Fupgrade");
    assertThat(snapshot.names()).containsExactly("disk.raw", "partitions");
    assertThat(contents(file(snapshot, "disk.raw"))).isEqualTo(old.bytes);
    assertThat(directory(snapshot, "partitions").names()).containsExactly("1.raw");
  }

  @Test
  void listingAThousandSnapshotsOpensNone() throws IOException {
    FakeImage image = new FakeImage(disk());
    for (int i = 0; i < 1000; i++) {
      image.withSnapshot("snapshot " + i, new FakeDisk(i + 1));
    }
    DirectoryNode snapshots = directory(ImageTree.directory(image), "snapshots");
    assertThat(snapshots.names()).hasSize(1000);
    assertThat(file(snapshots, "snapshot 999/disk.raw").size()).isEqualTo(1000);
    assertThat(image.opened).isEmpty();
    assertThat(contents(file(snapshots, "snapshot 7/disk.raw"))).hasSize(8);
    assertThat(image.opened).extracting(snapshot -> snapshot.name()).containsExactly("snapshot 7");
  }

  @Test
  void anUnreadableSnapshotShowsTheReasonInPlaceOfItsDisk() throws IOException {
    DirectoryNode root =
        ImageTree.directory(
            new FakeImage(disk()).withUnreadableSnapshot("lost", "its L1 table is out of bounds"));
    assertThat(directory(root, "snapshots/lost").names()).containsExactly("unreadable.txt");
    assertThat(text(file(root, "snapshots/lost/unreadable.txt")))
        .isEqualTo("its L1 table is out of bounds\n");
  }

  @Test
  void theDescriptionIsWhatTheCommandsPrint() throws IOException {
    Image image = new FakeImage(disk());
    DirectoryNode root = ImageTree.directory(image);
    ByteArrayOutputStream info = new ByteArrayOutputStream();
    InfoJson.write(image.info(), info);
    ByteArrayOutputStream map = new ByteArrayOutputStream();
    MapJson.write(AllocationMap.of(image), map);
    assertThat(directory(root, ".qcowfs").names()).containsExactly("info.json", "map.json");
    assertThat(contents(file(root, ".qcowfs/info.json"))).isEqualTo(info.toByteArray());
    assertThat(contents(file(root, ".qcowfs/map.json"))).isEqualTo(map.toByteArray());
  }
}
