package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.qcowfs.error.HostIoException;
import org.qcowfs.testkit.storage.FailingStorage;
import org.qcowfs.testkit.storage.StorageOperation.Kind;

/** One flush-to-disk has failed: of what was written before, nobody knows what is there. */
final class FailedFlushTest {
  private static final int EIO = 5;

  @TempDir private Path directory;

  private static void assertRefused(ThrowingCallable action) {
    assertThatExceptionOfType(HostIoException.class)
        .isThrownBy(action)
        .withMessageContaining("no longer written to")
        .matches(e -> e.errno() == EIO, "as the flush that failed");
  }

  /** Also where a flush has nothing left to do, since each write was flushed. */
  @ParameterizedTest
  @EnumSource(names = {"WRITEBACK", "NONE", "WRITETHROUGH", "DIRECTSYNC"})
  void noLaterFlushSucceedsAndNoModeThatWouldNeedNoneCanBeHad(CacheMode mode) throws IOException {
    CrashVariant variant = CrashVariant.of(12, 16, mode);
    FailingStorage storage = new FailingStorage(variant.create(directory).image());
    SimulatedDisk simulated = SimulatedDisk.open(storage, storage, variant);
    CachedDisk disk = simulated.cached();
    storage.failOnce(Kind.FLUSH, storage.count(Kind.FLUSH) + 1, EIO);

    assertThatIOException()
        .isThrownBy(
            () -> {
              disk.write(ByteBuffer.allocate(512), 0);
              disk.flush();
            })
        .withMessageContaining("as told");
    storage.heal();

    assertRefused(disk::flush);
    assertRefused(disk::flushInBackground);
    for (CacheMode other : CacheMode.values()) {
      assertRefused(() -> disk.switchTo(other));
    }
    assertRefused(disk::flush);
    assertRefused(disk::finish);
  }
}
