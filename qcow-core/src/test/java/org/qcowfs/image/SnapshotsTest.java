package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.ref.SoftReference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.OpenFiles;
import org.qcowfs.testkit.SnapshotSpec;
import org.qcowfs.testkit.TestImage;

final class SnapshotsTest {
  private static final int CLUSTER = 512;
  private static final int SIZE = 1 << 20;

  @TempDir private Path directory;

  private static byte[] pattern(int value) {
    byte[] bytes = new byte[CLUSTER];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private Path write(TestImage image) throws IOException {
    return image.writeTo(directory.resolve("top.qcow2"));
  }

  private static byte[] read(BlockDevice device, long offset, int length) throws IOException {
    byte[] bytes = new byte[length];
    device.read(ByteBuffer.wrap(bytes), offset);
    return bytes;
  }

  private static ImageBuilder twoSnapshots() {
    ImageBuilder builder = new ImageBuilder(3, 9).virtualSize(SIZE);
    builder.disk().data(0, pattern(1));
    builder
        .snapshot(SnapshotSpec.of("1", "small", 40_000))
        .data(0, pattern(2))
        .data(70, pattern(3));
    builder.snapshot(SnapshotSpec.of("2", "large", 3L << 20)).data(6000, pattern(4));
    return builder;
  }

  @Test
  void aSnapshotHasItsOwnSizeL1TableAndBytes() throws IOException {
    try (Image image = Images.open(write(twoSnapshots().build()), OpenOptions.defaults())) {
      BlockDevice small = image.openSnapshot(image.snapshots().get(0));
      BlockDevice large = image.openSnapshot(image.snapshots().get(1));

      assertThat(read(image.disk(), 0, CLUSTER)).isEqualTo(pattern(1));
      assertThat(small.size()).isEqualTo(40_000);
      assertThat(read(small, 0, CLUSTER)).isEqualTo(pattern(2));
      assertThat(read(small, 70 * CLUSTER, CLUSTER)).isEqualTo(pattern(3));
      assertThat(large.size()).isEqualTo(3L << 20);
      assertThat(read(large, 0, CLUSTER)).isEqualTo(new byte[CLUSTER]);
      assertThat(read(large, 6000 * CLUSTER, CLUSTER)).isEqualTo(pattern(4));
    }
  }

  @Test
  void theDeviceOfASnapshotIsOpenedOnceAndShared() throws IOException {
    try (Image image = Images.open(write(twoSnapshots().build()), OpenOptions.defaults())) {
      InternalSnapshot snapshot = image.snapshots().get(0);

      assertThat(image.openSnapshot(snapshot)).isSameAs(image.openSnapshot(snapshot));
    }
  }

  @Test
  void anL1TableShorterThanTheSnapshotsDiskLeavesTheRestUnallocated() throws IOException {
    TestImage image = twoSnapshots().build();
    image.bytes().putInt(image.snapshotOffsets().get(0) + 8, 1); // of two entries
    try (Image opened = Images.open(write(image), OpenOptions.defaults())) {
      BlockDevice small = opened.openSnapshot(opened.snapshots().get(0));

      assertThat(read(small, 0, CLUSTER)).isEqualTo(pattern(2));
      assertThat(read(small, 70 * CLUSTER, CLUSTER)).isEqualTo(new byte[CLUSTER]);
    }
  }

  @Test
  void aSnapshotWithoutAnL1TableIsZeros() throws IOException {
    TestImage image = twoSnapshots().build();
    image.bytes().putInt(image.snapshotOffsets().get(0) + 8, 0);
    try (Image opened = Images.open(write(image), OpenOptions.defaults())) {
      BlockDevice small = opened.openSnapshot(opened.snapshots().get(0));

      assertThat(read(small, 0, 40_000)).isEqualTo(new byte[40_000]);
    }
  }

  @Test
  void anImageCanBeOpenedAtASnapshotByNameOrElseById() throws IOException {
    ImageBuilder builder = twoSnapshots();
    builder.snapshot(SnapshotSpec.of("3", "2", SIZE)).data(0, pattern(9));
    Path file = write(builder.build());

    assertThat(firstByteAt(file, "small")).isEqualTo(2);
    assertThat(firstByteAt(file, "1")).isEqualTo(2);
    assertThat(firstByteAt(file, "2")).as("a name wins over an ID").isEqualTo(9);
    assertThatThrownBy(() -> firstByteAt(file, "nobody"))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessage(
            "%s: no internal snapshot has the name or ID 'nobody'; the image has small, large, 2",
            file);
    assertThat(OpenFiles.countIn(directory)).isZero();
  }

  private static int firstByteAt(Path file, String snapshot) throws IOException {
    try (Image image = Images.open(file, OpenOptions.defaults().withSnapshot(snapshot))) {
      return read(image.disk(), 0, 1)[0];
    }
  }

  @Test
  void aSnapshotWithAProblemIsShownAndCannotBeOpened() throws IOException {
    TestImage image = twoSnapshots().build();
    image.bytes().putLong(image.snapshotOffsets().get(0), 1L << 40);
    Path file = write(image);
    try (Image opened = Images.open(file, OpenOptions.defaults())) {
      InternalSnapshot broken = opened.snapshots().get(0);

      assertThat(broken.name()).isEqualTo("small");
      assertThatThrownBy(() -> opened.openSnapshot(broken))
          .isInstanceOf(CorruptImageException.class)
          .hasMessageStartingWith(file + ": Snapshot table at host offset 0x")
          .hasMessageEndingWith(
              "Snapshot table entry 0: L1 table at host offset 0x10000000000 with 2 entries lies"
                  + " past the end of the file");
      BlockDevice large = opened.openSnapshot(opened.snapshots().get(1));
      assertThat(read(large, 6000 * CLUSTER, CLUSTER)).isEqualTo(pattern(4));
    }
    assertThatThrownBy(() -> firstByteAt(file, "small")).isInstanceOf(CorruptImageException.class);
    assertThat(OpenFiles.countIn(directory)).isZero();
  }

  @Test
  void aLostEntryIsShownAndCannotBeOpened() throws IOException {
    TestImage image = twoSnapshots().build();
    image.bytes().putLong(64, 1L << 40);
    try (Image opened = Images.open(write(image), OpenOptions.defaults())) {
      InternalSnapshot lost = opened.snapshots().get(0);

      assertThat(lost.name()).isEqualTo("unreadable-0");
      assertThatThrownBy(() -> opened.openSnapshot(lost)).isInstanceOf(CorruptImageException.class);
      assertThat(read(opened.disk(), 0, CLUSTER)).isEqualTo(pattern(1));
    }
  }

  @Test
  void aSnapshotOfAnotherImageIsTheCallersMistake() throws IOException {
    try (Image image = Images.open(write(twoSnapshots().build()), OpenOptions.defaults())) {
      InternalSnapshot own = image.snapshots().get(0);
      InternalSnapshot foreign =
          new InternalSnapshot(0, "7", "x", 0, 0, 0, 0, 1, -1, own.problem());

      assertThatThrownBy(() -> image.openSnapshot(foreign))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void anL1TableThatMemoryWasTooShortForIsReadAgain() throws IOException {
    TestImage image = twoSnapshots().build();
    try (Image opened = Images.open(write(image), OpenOptions.defaults())) {
      BlockDevice small = opened.openSnapshot(opened.snapshots().get(0));
      assertThat(read(small, 70 * CLUSTER, CLUSTER)).isEqualTo(pattern(3));
      long l1Table = image.bytes().getLong(image.snapshotOffsets().get(0));
      image.bytes().putLong(l1Table + 8, 0);
      write(image); // seen only by who reads the table again

      assertThat(read(small, 70 * CLUSTER, CLUSTER)).isEqualTo(pattern(3));
      dropSoftReferences();

      assertThat(read(small, 70 * CLUSTER, CLUSTER)).isEqualTo(new byte[CLUSTER]);
    }
  }

  /**
   * Asks for more than there is: the collector drops what is softly reachable before it says no.
   */
  private static void dropSoftReferences() {
    SoftReference<Object> canary = new SoftReference<>(new Object());
    assertThatThrownBy(() -> new SoftReference<>(new long[Integer.MAX_VALUE - 8]).get())
        .isInstanceOf(OutOfMemoryError.class);
    assertThat(canary.get()).isNull();
  }
}
