package org.qcowfs.tree;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.qcowfs.fakes.FakeDisk;
import org.qcowfs.fakes.Samples;

final class AllocatedBytesTest {
  private final FakeDisk disk = new FakeDisk(4096).with(Samples.data(0, 512, 0));
  private long changes;
  private long now;
  private long countingTakes;

  private AllocatedBytes allocated() {
    return new AllocatedBytes(disk::size, () -> disk, () -> changes, this::tick);
  }

  private long tick() {
    long time = now;
    now += countingTakes;
    return time;
  }

  @Test
  void aDiskThatHasNotChangedIsNotCountedAgain() {
    AllocatedBytes allocated = allocated();
    assertThat(allocated.get()).isEqualTo(512);
    assertThat(allocated.get()).isEqualTo(512);
    assertThat(disk.extentQueries()).isEqualTo(1);
  }

  @Test
  void aChangedDiskIsCountedAgain() {
    AllocatedBytes allocated = allocated();
    assertThat(allocated.get()).isEqualTo(512);
    disk.with(Samples.data(512, 512, 512));
    changes++;
    assertThat(allocated.get()).isEqualTo(1024);
  }

  @Test
  void aCountThatTookLongIsBelievedForAWhile() {
    countingTakes = 1000;
    AllocatedBytes allocated = allocated();
    for (int i = 0; i < 10; i++) {
      assertThat(allocated.get()).isEqualTo(512);
      changes++;
    }
    assertThat(disk.extentQueries()).isEqualTo(1);
    now += 20_000;
    assertThat(allocated.get()).isEqualTo(512);
    assertThat(disk.extentQueries()).isEqualTo(2);
  }
}
