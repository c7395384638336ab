package org.qcowfs.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.qcowfs.fakes.FakeDisk;
import org.qcowfs.image.ZeroMode;

final class WatchedDiskTest {
  private final FakeDisk disk = new FakeDisk(4096);
  private final WatchedDisk watched = new WatchedDisk(disk);

  @Test
  void everyKindOfChangeCounts() throws IOException {
    watched.write(ByteBuffer.allocate(1), 0);
    watched.writeZeroes(0, 1, ZeroMode.KEEP);
    watched.allocate(0, 1);
    watched.resize(8192);
    assertThat(watched.count()).isEqualTo(4);
    assertThat(disk.done).hasSize(4);
  }

  @Test
  void aChangeThatFailedCountsAsItMayHaveGotHalfThrough() {
    disk.broken();
    assertThatIOException().isThrownBy(() -> watched.write(ByteBuffer.allocate(1), 0));
    assertThat(watched.hasUnflushedChanges()).isTrue();
  }

  @Test
  void onlyAFlushThatSucceededLeavesNothingUnflushed() throws IOException {
    assertThat(watched.hasUnflushedChanges()).isFalse();
    watched.write(ByteBuffer.allocate(1), 0);
    disk.broken();
    assertThatIOException().isThrownBy(watched::flush);
    assertThat(watched.hasUnflushedChanges()).isTrue();
    disk.repaired();
    watched.flush();
    assertThat(watched.hasUnflushedChanges()).isFalse();
  }
}
