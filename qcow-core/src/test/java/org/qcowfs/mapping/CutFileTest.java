package org.qcowfs.mapping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.qcowfs.error.HostIoException;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.storage.MemoryStorage;

/** Somebody cuts the image file off while it is written. */
final class CutFileTest {
  private static final int CLUSTER = 4096;
  private static final int WRITTEN = 64;
  private static final int EIO = 5;

  private final MemoryStorage file =
      TestDisk.image(new ImageBuilder(3, 12).virtualSize(2L * WRITTEN * CLUSTER));
  private ActiveDisk disk;
  private long cutTo;

  @BeforeEach
  void write() throws IOException {
    disk = TestDisk.open(file);
    disk.write(TestDisk.bytes(WRITTEN * CLUSTER, 1), 0);
    disk.flushToDisk();
  }

  private void cut() throws IOException {
    MappedRun lastWritten = new MappedRun();
    disk.lookup((WRITTEN - 1L) * CLUSTER, CLUSTER, lastWritten);
    cutTo = lastWritten.hostOffset();
    file.resize(cutTo);
  }

  private void assertStopped(ThrowingCallable change) {
    assertThatExceptionOfType(HostIoException.class)
        .isThrownBy(change)
        .withMessageContaining(
            "was cut to %d bytes by another program, and had at least".formatted(cutTo))
        .withMessageContaining("no longer written to")
        .matches(e -> e.errno() == EIO);
    assertThat(file.size()).as("grown again, the file would read as zeros").isEqualTo(cutTo);
  }

  private void assertReadsGoOn() throws IOException {
    var kept = TestDisk.bytes(CLUSTER, 0);
    disk.read(kept, 0);
    assertThat(kept.flip()).isEqualTo(TestDisk.bytes(CLUSTER, 1));
    assertThatIOException()
        .isThrownBy(() -> disk.read(TestDisk.bytes(CLUSTER, 0), (WRITTEN - 1L) * CLUSTER));
  }

  @Test
  void aWriteToTheLostPartFailsAndTheFileStaysAsShortAsItIs() throws IOException {
    cut();
    assertStopped(() -> disk.write(TestDisk.bytes(512, 2), (WRITTEN - 1L) * CLUSTER));
    assertReadsGoOn();
  }

  @Test
  void whatWouldTakeNewClustersFails() throws IOException {
    cut();
    assertStopped(() -> disk.write(TestDisk.bytes(512, 2), WRITTEN * CLUSTER));
    assertStopped(() -> disk.allocate(WRITTEN * CLUSTER, CLUSTER));
    assertReadsGoOn();
  }

  @Test
  void aFlushOfWhatWasWrittenBeforeFailsAndSoDoesTheEnd() throws IOException {
    disk.write(TestDisk.bytes(512, 2), WRITTEN * CLUSTER);
    cut();
    assertStopped(disk::flushToOs);
    assertStopped(disk::flushToDisk);
    assertStopped(disk::close);
  }

  /** By then nobody knows what the lost part holds. */
  @Test
  void aFileThatHasItsLengthBackIsNotWrittenToEither() throws IOException {
    long before = file.size();
    cut();
    assertStopped(disk::flushToDisk);

    file.resize(before);
    cutTo = before;

    assertThatIOException()
        .isThrownBy(() -> disk.write(TestDisk.bytes(512, 2), 0))
        .withMessageContaining("was cut");
  }

  /** Our own end of the file may come back, too. */
  @Test
  void aFileThatTheEndMadeShorterIsNotTakenForOneThatWasCut() throws IOException {
    disk.close();
    disk.write(TestDisk.bytes(512, 2), WRITTEN * CLUSTER);
    disk.close();
    assertThat(TestDisk.miscounted(file)).isEmpty();
  }
}
