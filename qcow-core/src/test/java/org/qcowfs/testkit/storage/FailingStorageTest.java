package org.qcowfs.testkit.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.qcowfs.error.HostIoException;
import org.qcowfs.testkit.storage.StorageOperation.Kind;

final class FailingStorageTest {
  private static final int EIO = 5;
  private static final int ENOSPC = 28;

  private final MemoryStorage memory = new MemoryStorage();
  private final FailingStorage storage = new FailingStorage(memory);

  @Test
  void onlyTheWantedWriteFailsAndChangesNothing() throws IOException {
    storage.failOnce(Kind.WRITE, 2, ENOSPC);

    storage.write(ByteBuffer.wrap(new byte[] {1}), 0);
    assertFails(ENOSPC, () -> storage.write(ByteBuffer.wrap(new byte[] {2}), 0));
    storage.write(ByteBuffer.wrap(new byte[] {3}), 1);

    assertThat(memory.bytes()).containsExactly(1, 3);
    assertThat(storage.count(Kind.WRITE)).isEqualTo(3);
  }

  @Test
  void aTornWriteLeavesItsFirstBytes() {
    storage.tearWrite(1, 2, EIO);

    assertFails(EIO, () -> storage.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 0));

    assertThat(memory.bytes()).containsExactly(1, 2);
  }

  @Test
  void aFailedFlushFailsEveryLaterChangeButNoRead() throws IOException {
    storage.write(ByteBuffer.wrap(new byte[] {1}), 0);
    storage.failOnce(Kind.FLUSH, 1, EIO);

    assertFails(EIO, storage::flushToDisk);
    assertFails(EIO, storage::flushToDisk);
    assertFails(EIO, () -> storage.write(ByteBuffer.wrap(new byte[] {2}), 0));
    assertFails(EIO, () -> storage.punchHole(0, 1));

    assertThat(storage.read(ByteBuffer.allocate(1), 0)).isEqualTo(1);
    storage.heal();
    storage.flushToDisk();
  }

  @Test
  void theNthChangeOfWhateverKindFailsAndThoseBehindIt() throws IOException {
    storage.failChangesFrom(2, ENOSPC);

    storage.resize(10);
    storage.read(ByteBuffer.allocate(1), 0);
    assertFails(ENOSPC, () -> storage.allocate(0, 10));
    assertFails(ENOSPC, () -> storage.zeroRange(0, 10));

    assertThat(storage.changes()).isEqualTo(3);
  }

  private static void assertFails(int errno, ThrowingCallable act) {
    assertThatThrownBy(act)
        .asInstanceOf(type(HostIoException.class))
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
  }
}
