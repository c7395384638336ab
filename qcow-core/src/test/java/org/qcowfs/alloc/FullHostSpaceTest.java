package org.qcowfs.alloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.error.HostIoException;
import org.qcowfs.format.Header;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.storage.LimitedStorage;
import org.qcowfs.testkit.storage.MemoryStorage;

/** The image file may not grow beyond a limit. */
final class FullHostSpaceTest {
  private static final int CLUSTER_BITS = 12;
  private static final int EFBIG = 27;
  private static final int EIO = 5;

  private final LimitedStorage storage = new LimitedStorage(image());
  private final HostSpace space = open();

  private static MemoryStorage image() {
    SparseBytes bytes = new ImageBuilder(3, CLUSTER_BITS).virtualSize(1 << 20).build().bytes();
    return MemoryStorage.of(bytes.read(0, Math.toIntExact(bytes.size())));
  }

  private HostSpace open() {
    try {
      ByteBuffer bytes = ByteBuffer.allocate(Header.DECODED_BYTES);
      storage.readFully(bytes, 0);
      Header header = Header.decode(bytes.flip());
      HeaderSector sector = new HeaderSector(storage, header.version());
      DurabilityClock clock = new DurabilityClock(storage::flushToDisk);
      return new HostSpace(
          storage,
          header.geometry(),
          new Refcounts(storage, header, 1 << 16),
          sector,
          clock,
          new LeakRecord(storage, header, sector, clock),
          1 << 20);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** How many clusters can be had. */
  private long allocateAll() {
    long count = 0;
    try {
      while (true) {
        count += space.allocateLocked(1).count();
      }
    } catch (IOException e) {
      assertThat(e)
          .isInstanceOfSatisfying(
              HostIoException.class, host -> assertThat(host.errno()).isEqualTo(EFBIG));
    }
    return count;
  }

  @Test
  void aFlushThatFindsNoRoomForAReserveGoesOn() throws IOException {
    storage.limit(storage.size(), EFBIG);
    space.topUpLocked();
    assertThatThrownBy(() -> space.allocateLocked(1)).isInstanceOf(HostIoException.class);
    storage.limit(Long.MAX_VALUE, EFBIG);
    space.topUpLocked();
    assertThat(space.allocateLocked(1).count()).isEqualTo(1);
  }

  @Test
  void aBrokenHostIsNotTakenForAFullOne() throws IOException {
    storage.limit(storage.size(), EIO);
    assertThatThrownBy(space::topUpLocked).isInstanceOf(HostIoException.class);
  }

  @Test
  void allButTheSmallestBatchOfTheRoomIsUsed() throws IOException {
    long room = 999;
    storage.limit(storage.size() + (room << CLUSTER_BITS), EFBIG);
    assertThat(allocateAll()).isBetween(room - 8, room);
  }

  @Test
  void whatWasReservedInVainIsFreeAgain() throws IOException {
    storage.limit(storage.size(), EFBIG);
    assertThat(allocateAll()).isZero();
    long before = storage.size();
    storage.limit(Long.MAX_VALUE, EFBIG);
    assertThat(space.allocateLocked(1).hostOffset()).isEqualTo(before);
  }
}
