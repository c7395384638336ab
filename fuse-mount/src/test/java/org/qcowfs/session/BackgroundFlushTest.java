package org.qcowfs.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.qcowfs.fakes.FakeDisk;
import org.qcowfs.tree.WatchedDisk;

final class BackgroundFlushTest {
  private final FakeDisk disk = new FakeDisk(4096);
  private final WatchedDisk watched = new WatchedDisk(disk);
  private final BackgroundFlush flush = new BackgroundFlush(watched, 3);

  @AfterEach
  void end() {
    flush.close();
  }

  private void change() throws IOException {
    watched.write(ByteBuffer.allocate(1), 0);
    disk.done.clear();
  }

  @Test
  void nothingIsFlushedWhereNothingWasWritten() {
    for (int i = 0; i < 10; i++) {
      flush.look();
    }
    assertThat(disk.done).isEmpty();
  }

  @Test
  void aPauseIsUsedToFlushOnce() throws IOException {
    change();
    flush.look();
    assertThat(disk.done).isEmpty();
    flush.look();
    assertThat(disk.done).containsExactly("flush");
    flush.look();
    flush.look();
    assertThat(disk.done).containsExactly("flush");
  }

  @Test
  void whereWritesNeverPauseTheIntervalDecides() throws IOException {
    for (int second = 1; second <= 3; second++) {
      assertThat(disk.done).isEmpty();
      change();
      flush.look();
    }
    assertThat(disk.done).containsExactly("flush");
  }

  @Test
  void whatAnFsyncHasFlushedIsNotFlushedAgain() throws IOException {
    change();
    watched.flush();
    flush.look();
    flush.look();
    assertThat(disk.done).containsExactly("flush");
  }

  @Test
  void aFlushThatFailedIsTriedAgain() throws IOException {
    change();
    flush.look();
    disk.broken();
    flush.look();
    disk.repaired();
    flush.look();
    assertThat(disk.done).containsExactly("flush");
  }
}
