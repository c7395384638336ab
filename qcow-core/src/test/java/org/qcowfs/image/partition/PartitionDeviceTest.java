package org.qcowfs.image.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.qcowfs.image.Extent;

final class PartitionDeviceTest {
  private final MemoryDisk disk = new MemoryDisk(10_000);
  private final PartitionDevice partition =
      new PartitionDevice(disk, new Partition(1, 1500, 2000, "0x83", ""));

  @Test
  void bytesComeFromTheWindow() throws IOException {
    disk.bytes.put(1500, (byte) 1).put(3499, (byte) 2).put(3500, (byte) 3);
    ByteBuffer all = ByteBuffer.allocate(2000);
    partition.read(all, 0);
    assertThat(all.get(0)).isEqualTo((byte) 1);
    assertThat(all.get(1999)).isEqualTo((byte) 2);
    assertThat(all.hasRemaining()).isFalse();
    assertThat(partition.size()).isEqualTo(2000);
  }

  @Test
  void nothingOutsideTheWindowCanBeRead() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> partition.read(ByteBuffer.allocate(1), 2000));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> partition.read(ByteBuffer.allocate(1), -1));
    assertThatIllegalArgumentException().isThrownBy(() -> partition.extents(1, 2000, extent -> {}));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> partition.extents(Long.MAX_VALUE, 1, extent -> {}));
    assertThat(disk.highestByteRead()).isNegative();
  }

  @Test
  void extentsAreCountedFromTheStartOfThePartition() throws IOException {
    List<Extent> extents = new ArrayList<>();
    partition.extents(100, 1900, extents::add);
    assertThat(extents).extracting(Extent::start).containsExactly(100L, 500L, 1500L);
    assertThat(extents).extracting(Extent::length).containsExactly(400L, 1000L, 500L);
    assertThat(extents).extracting(Extent::data).containsExactly(false, true, false);
  }

  @Test
  void aWindowOutsideTheDiskIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new PartitionDevice(disk, new Partition(1, 9_999, 2, "0x83", "")));
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new PartitionDevice(disk, new Partition(1, 2, Long.MAX_VALUE, "0x83", "")));
  }
}
