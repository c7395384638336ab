package org.qcowfs.testkit.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.qcowfs.testkit.storage.StorageOperation.Kind;

final class RecordingStorageTest {
  private final MemoryStorage memory = new MemoryStorage();
  private final RecordingStorage storage = new RecordingStorage(memory);

  /** The canary: a run that is played again ends in the same bytes. */
  @Test
  void whatWasRecordedMakesTheSameFileElsewhere() throws IOException {
    ByteBuffer source = ByteBuffer.wrap(new byte[] {1, 2, 3, 4});
    storage.write(source, 2);
    storage.write(new ByteBuffer[] {source.rewind(), ByteBuffer.wrap(new byte[] {5})}, 10);
    source.put(0, (byte) 77); // the record is a copy
    storage.punchHole(3, 1);
    storage.zeroRange(10, 2);
    storage.allocate(20, 10);
    storage.resize(25);

    MemoryStorage elsewhere = new MemoryStorage();
    for (StorageOperation operation : storage.operations()) {
      operation.applyTo(elsewhere);
    }

    assertThat(elsewhere.bytes()).isEqualTo(memory.bytes()).hasSize(25);
  }

  @Test
  void aFlushIsRecordedWhenItBeginsAndWhenItHasReturned() throws IOException {
    storage.write(ByteBuffer.wrap(new byte[4]), 16);
    storage.flushToDisk();
    storage.read(ByteBuffer.allocate(100), 18);

    assertThat(storage.operations())
        .extracting(StorageOperation::toString)
        .containsExactly("WRITE 0x10+0x4", "FLUSH 0", "FLUSH_DONE 0", "READ 0x12+0x2");
    assertThat(storage.count(Kind.FLUSH)).isEqualTo(1);
  }
}
