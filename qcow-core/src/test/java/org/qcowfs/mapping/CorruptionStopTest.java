package org.qcowfs.mapping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.qcowfs.error.HostIoException;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.TestImage;
import org.qcowfs.testkit.storage.FailingStorage;
import org.qcowfs.testkit.storage.MemoryStorage;
import org.qcowfs.testkit.storage.RecordingStorage;
import org.qcowfs.testkit.storage.StorageOperation;

/** How an image is marked whose first data cluster is said to lie on its L1 table. */
final class CorruptionStopTest {
  private static final int CLUSTER = 4096;
  private static final int CORRUPT_BYTE = 79;
  private static final int EIO = 5;

  private final MemoryStorage file = corrupt();

  private static MemoryStorage corrupt() {
    ImageBuilder builder = new ImageBuilder(3, 12).virtualSize(64L * CLUSTER);
    builder.disk().data(0, new byte[CLUSTER]).data(1, new byte[CLUSTER]);
    TestImage image = builder.build();
    image.bytes().putLong(image.l2EntryOffset(0), 1L << 63 | image.l1TableOffset());
    return MemoryStorage.of(image.bytes().read(0, Math.toIntExact(image.bytes().size())));
  }

  private static void assertStops(ActiveDisk disk, String words) {
    assertThatExceptionOfType(HostIoException.class)
        .isThrownBy(() -> disk.write(TestDisk.bytes(512, 1), 0))
        .withMessageContaining("overlaps the active L1 table")
        .withMessageContaining(words)
        .matches(e -> e.errno() == EIO);
    assertThatExceptionOfType(HostIoException.class).isThrownBy(disk::flushToOs);
    assertThatExceptionOfType(HostIoException.class).isThrownBy(disk::close);
  }

  @Test
  void theMarkIsOneSectorAndDurableBeforeTheRequestFails() throws IOException {
    RecordingStorage recorded = new RecordingStorage(file);
    ActiveDisk disk = TestDisk.open(recorded);
    recorded.clear();

    assertStops(disk, "has been marked corrupt");

    assertThat(recorded.operations())
        .filteredOn(operation -> operation.kind() != StorageOperation.Kind.READ)
        .extracting(StorageOperation::toString)
        .containsExactly("WRITE 0x0+0x200", "FLUSH 0", "FLUSH_DONE 0");
    assertThat(file.bytes()[CORRUPT_BYTE]).isEqualTo((byte) 2);
    assertThat(disk.isMarkedCorrupt()).isTrue();
  }

  /** As who asks where the holes of the disk are. */
  @Test
  void aLookupThatMeetsAMalformedEntryMarksTheImageToo() throws IOException {
    ActiveDisk disk = TestDisk.open(misaligned());

    assertThatExceptionOfType(HostIoException.class)
        .isThrownBy(() -> disk.lookup(0, CLUSTER, new MappedRun()))
        .withMessageContaining("not aligned")
        .withMessageContaining("has been marked corrupt");

    assertThat(disk.isMarkedCorrupt()).isTrue();
  }

  private static MemoryStorage misaligned() {
    ImageBuilder builder = new ImageBuilder(3, 12).virtualSize(64L * CLUSTER);
    builder.disk().data(0, new byte[CLUSTER]);
    TestImage image = builder.build();
    image.bytes().putLong(image.l2EntryOffset(0), 1L << 63 | image.clusterOffset(0) + 512);
    return MemoryStorage.of(image.bytes().read(0, Math.toIntExact(image.bytes().size())));
  }

  /** In the modes that never flush, the order of writes is all there is. */
  @Test
  void withoutBarriersNothingIsFlushed() throws IOException {
    RecordingStorage recorded = new RecordingStorage(file);
    ActiveDisk disk = TestDisk.open(recorded);
    disk.setBarriers(false);

    assertStops(disk, "has been marked corrupt");

    assertThat(recorded.count(StorageOperation.Kind.FLUSH)).isZero();
    assertThat(file.bytes()[CORRUPT_BYTE]).isEqualTo((byte) 2);
  }

  @Test
  void anImageThatCannotBeMarkedIsNoLongerWrittenToEither() throws IOException {
    FailingStorage failing = new FailingStorage(file);
    failing.failFrom(StorageOperation.Kind.WRITE, 1, EIO);
    byte[] before = file.bytes();
    ActiveDisk disk = TestDisk.open(failing);

    assertStops(disk, "could not be marked corrupt");

    failing.heal();
    assertStops(disk, "could not be marked corrupt");
    assertThat(file.bytes()).isEqualTo(before);
    assertThat(disk.isMarkedCorrupt()).isFalse();
  }

  /** What is lost may be the header. */
  @Test
  void anImageThatSomebodyHasCutOffIsNotMarked() throws IOException {
    BlockStorage storage = file;
    ActiveDisk disk = TestDisk.open(storage);
    disk.write(TestDisk.bytes(512, 1), CLUSTER);
    byte marked = file.bytes()[CORRUPT_BYTE];
    file.resize(file.size() - CLUSTER);

    assertThatExceptionOfType(HostIoException.class)
        .isThrownBy(() -> disk.write(TestDisk.bytes(512, 1), 0))
        .withMessageContaining("was cut");

    assertThat(file.bytes()[CORRUPT_BYTE]).isEqualTo(marked);
  }
}
