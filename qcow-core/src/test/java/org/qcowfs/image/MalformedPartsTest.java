package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.testkit.BitmapSpec;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.MemoryStorage;
import org.qcowfs.testkit.SnapshotSpec;
import org.qcowfs.testkit.TestImage;

/** Snapshots and bitmaps that are broken do not keep anybody from the disk: they are shown so. */
final class MalformedPartsTest {
  private static final long SIZE = 1 << 20;

  private static ImageBuilder builder() {
    return new ImageBuilder(3, 16).virtualSize(SIZE);
  }

  private static TestImage twoBitmaps() {
    return builder()
        .bitmap(new BitmapSpec("day1", 16, 2))
        .bitmap(new BitmapSpec("day2", 15, 1))
        .build();
  }

  private static Optional<String> bitmapsProblem(TestImage image) throws IOException {
    Qcow2Metadata metadata = Qcow2Metadata.read(image.storage());
    assertThat(metadata.bitmapsProblem().isPresent()).isEqualTo(metadata.bitmaps().isEmpty());
    return metadata.bitmapsProblem();
  }

  @Test
  void healthyBitmapsAreShown() throws IOException {
    Qcow2Metadata metadata = Qcow2Metadata.read(twoBitmaps().storage());

    assertThat(metadata.bitmaps())
        .containsExactly(
            new ImageInfo.Bitmap("day1", 65536, false, true),
            new ImageInfo.Bitmap("day2", 32768, true, false));
    assertThat(metadata.bitmapsProblem()).isEmpty();
  }

  /** Pokes into the extension (from its data on) and into the directory. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "extension | 0 | 4 | 0 | nb_bitmaps is 0, not in 1..65535",
        "extension | 0 | 4 | 65536 | nb_bitmaps is 65536, not in 1..65535",
        "extension | 0 | 4 | 3 | bitmap_directory_size is 64, not possible for 3 bitmaps",
        "extension | 0 | 4 | 1 | more entries than nb_bitmaps (1)",
        "extension | 4 | 4 | 1 | reserved field is 0x1, not 0",
        "extension | 8 | 8 | 2097 | bitmap_directory_size is 2097, not possible for 2 bitmaps",
        "extension | 8 | 8 | 56 | entry of 32 bytes ends past the directory",
        "extension | 16 | 8 | 512 | bitmap_directory_offset is 0x200, not a host offset aligned",
        "extension | 16 | 8 | 1099511627776 | 64 bytes, ends past the end of the file",
        "extension | -4 | 4 | 23 | length is 23, not 24",
        "directory | 0 | 8 | 1 | bitmap_table_offset is 0x1, not an aligned host offset",
        "directory | 8 | 4 | 134217729 | bitmap_table_size is 134217729 entries, more than",
        "directory | 12 | 4 | 8 | flags are 0x8, reserved bits are set",
        "directory | 16 | 1 | 2 | type is 2, not 1",
        "directory | 17 | 1 | 32 | granularity_bits is 32, not in 9..31",
        "directory | 18 | 2 | 0 | name_size is 0, not in 1..1023",
        "directory | 20 | 4 | 8 | extra_data_size is 8, extra data is not supported",
      })
  void malformedBitmapsAreShownWithTheirReason(
      String where, int offset, int bytes, long value, String reason) throws IOException {
    TestImage image = twoBitmaps();
    long start =
        where.equals("extension")
            ? image.extensionOffset(ImageBuilder.EXTENSION_BITMAPS) + 8
            : image.bitmapDirectoryOffset();
    byte[] number = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      number[bytes - 1 - i] = (byte) (value >> (8 * i));
    }
    image.bytes().write(start + offset, number);

    assertThat(bitmapsProblem(image).orElseThrow())
        .startsWith("Bitmap directory at host offset 0x")
        .contains(reason);
  }

  @Test
  void theBitmapsBitWithoutBitmapsIsAProblem() throws IOException {
    assertThat(bitmapsProblem(builder().autoclear(1).build()))
        .contains("the bitmaps bit is set, but there is no bitmaps extension");
  }

  @Test
  void bitmapsWithoutTheBitmapsBitAreInconsistent() throws IOException {
    TestImage image = twoBitmaps();
    image.bytes().putLong(88, 0);

    assertThat(bitmapsProblem(image).orElseThrow()).contains("all of them are inconsistent");
  }

  @Test
  void aBitmapDirectoryIsNotAllocatedByTheSizeItClaims() throws IOException {
    TestImage image = twoBitmaps();
    long size = image.extensionOffset(ImageBuilder.EXTENSION_BITMAPS) + 16;
    image.bytes().putLong(size, 60L << 20).resize(1L << 40);
    MemoryStorage storage = image.storage();

    assertThat(Qcow2Metadata.read(storage).bitmapsProblem()).isPresent();
    assertThat(storage.bytesRead()).isLessThan(1 << 20);
  }

  private static List<InternalSnapshot> snapshots(TestImage image) throws IOException {
    return Qcow2Metadata.read(image.storage()).shownSnapshots();
  }

  private static TestImage threeSnapshots(Consumer<TestImage> poke) {
    ImageBuilder builder = builder();
    for (String id : List.of("1", "2", "3")) {
      builder.snapshot(SnapshotSpec.of(id, "snapshot " + id, SIZE));
    }
    TestImage image = builder.build();
    poke.accept(image);
    return image;
  }

  @Test
  void healthySnapshotsAreShownInTheirOrder() throws IOException {
    assertThat(snapshots(threeSnapshots(image -> {})))
        .extracting(InternalSnapshot::name)
        .containsExactly("snapshot 1", "snapshot 2", "snapshot 3");
    assertThat(snapshots(threeSnapshots(image -> {})).get(1))
        .isEqualTo(
            new InternalSnapshot(
                1,
                "2",
                "snapshot 2",
                SnapshotSpec.DATE_SECONDS,
                SnapshotSpec.DATE_NANOS,
                SnapshotSpec.VM_CLOCK_NANOS,
                0,
                SIZE,
                SnapshotSpec.ICOUNT,
                Optional.empty()));
  }

  @Test
  void aSnapshotThatCannotBeReadDoesNotHideTheOthers() throws IOException {
    TestImage image = threeSnapshots(i -> i.bytes().putLong(i.snapshotOffsets().get(1), 0x10001));

    assertThat(snapshots(image))
        .extracting(InternalSnapshot::problem)
        .containsExactly(
            Optional.empty(),
            Optional.of(
                "Snapshot table entry 1: L1 table offset 0x10001 is not aligned to a cluster"),
            Optional.empty());
  }

  @Test
  void anEntryWithTooMuchExtraDataIsShownAndSkippedWithoutReadingIt() throws IOException {
    ImageBuilder builder = builder();
    builder.snapshot(new SnapshotSpec("1", "fat", SIZE, 65536));
    builder.snapshot(SnapshotSpec.of("2", "slim", SIZE));
    MemoryStorage storage = builder.build().storage();

    List<InternalSnapshot> snapshots = Qcow2Metadata.read(storage).shownSnapshots();

    assertThat(snapshots).extracting(InternalSnapshot::name).containsExactly("fat", "slim");
    assertThat(snapshots.get(0).problem())
        .contains("Snapshot table entry 0: 65536 bytes of extra data, more than the limit of 1024");
    assertThat(snapshots.get(0).diskBytes()).isEqualTo(SIZE);
    assertThat(snapshots.get(1).problem()).isEmpty();
    assertThat(storage.bytesRead()).isLessThan(65536 + 16384);
  }

  @Test
  void anEntryPastTheEndOfTheFileEndsTheTable() throws IOException {
    TestImage image =
        threeSnapshots(i -> i.bytes().putInt(i.snapshotOffsets().get(1) + 36, 0x7fff_fff0));

    List<InternalSnapshot> snapshots = snapshots(image);

    assertThat(snapshots).hasSize(2);
    assertThat(snapshots.get(0).problem()).isEmpty();
    assertThat(snapshots.get(1).problem().orElseThrow())
        .startsWith("Snapshot table entry 1 of 3 at host offset 0x")
        .endsWith("it and those behind it are lost");
  }

  @Test
  void aTableLargerThanTheLimitEndsAtIt() throws IOException {
    TestImage image =
        threeSnapshots(
            i -> i.bytes().putInt(i.snapshotOffsets().get(1) + 36, 64 << 20).resize(1L << 40));

    assertThat(snapshots(image).get(1).problem().orElseThrow()).contains("largest possible table");
  }

  @Test
  void aTablePastTheEndOfTheFileIsLostAsAWhole() throws IOException {
    TestImage image = threeSnapshots(i -> i.bytes().putLong(64, 1L << 40));

    assertThat(snapshots(image)).hasSize(1);
    assertThat(snapshots(image).get(0).problem().orElseThrow())
        .startsWith("Snapshot table entry 0 of 3 at host offset 0x10000000000: ends past the end");
  }

  @Test
  void thePaddingOfTheLastEntryMayBeMissingButNotItsName() throws IOException {
    TestImage image =
        threeSnapshots(
            i -> {
              // As the last structure of the file: 40 + 24 + 1 + 10 bytes, padded to 80.
              long copy = i.bytes().size();
              byte[] table = i.bytes().read(i.snapshotOffsets().get(0), 240);
              i.bytes().write(copy, Arrays.copyOf(table, 235)).putLong(64, copy);
            });

    assertThat(snapshots(image))
        .extracting(InternalSnapshot::name)
        .containsExactly("snapshot 1", "snapshot 2", "snapshot 3");
    image.bytes().resize(image.bytes().size() - 1);
    assertThat(snapshots(image).get(2).problem().orElseThrow()).contains("are lost");
  }

  @Test
  void asManySnapshotsAsTheLimitAllowsAreReadInBoundedTime() throws IOException {
    TestImage image = builder().build();
    // Entries of zeros in a hole: each has no name, no ID and an L1 table of no entries.
    image.bytes().putLong(64, 1 << 30).putInt(60, 65536).resize(2L << 30);

    assertThat(snapshots(image)).hasSize(65536);
  }
}
