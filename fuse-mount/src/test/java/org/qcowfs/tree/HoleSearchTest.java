package org.qcowfs.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.qcowfs.fakes.FakeDisk;
import org.qcowfs.image.Extent;

final class HoleSearchTest {
  private static final int MIB = 1 << 20;

  /** Data at 1 MiB to 3 MiB and at 12 MiB to 13 MiB, of 20. */
  private final FakeDisk disk =
      new FakeDisk(20 * MIB)
          .with(hole(0, 1), data(1, 2), zeroData(3, 1), hole(4, 8), data(12, 1), hole(13, 7));

  private static Extent hole(int start, int length) {
    return extent(start, length, true, false);
  }

  private static Extent data(int start, int length) {
    return extent(start, length, false, true);
  }

  /** Stored, but known to be zeros, as in a file of which the host knows the holes. */
  private static Extent zeroData(int start, int length) {
    return extent(start, length, true, true);
  }

  private static Extent extent(int start, int length, boolean zero, boolean data) {
    return new Extent(
        (long) start * MIB,
        (long) length * MIB,
        0,
        data,
        zero,
        data,
        false,
        Extent.NO_HOST_OFFSET,
        null);
  }

  private long data(long offset) throws Exception {
    return new HoleSearch(disk).nextData(offset, disk.size());
  }

  private long hole(long offset) throws Exception {
    return new HoleSearch(disk).nextHole(offset, disk.size());
  }

  @Test
  void whereThereIsDataTheSearchForItEndsAtOnce() throws Exception {
    assertThat(data(MIB)).isEqualTo(MIB);
    assertThat(data(3 * MIB - 1)).isEqualTo(3 * MIB - 1);
    assertThat(hole(0)).isZero();
    assertThat(hole(4 * MIB + 17)).isEqualTo(4 * MIB + 17);
  }

  @Test
  void whatTheMapSaysIsZeroIsAHoleHoweverItIsStored() throws Exception {
    assertThat(data(0)).isEqualTo(MIB);
    assertThat(hole(MIB)).isEqualTo(3 * MIB);
    assertThat(data(3 * MIB)).isEqualTo(12 * MIB);
    assertThat(hole(12 * MIB + 5)).isEqualTo(13 * MIB);
  }

  @Test
  void theEndIsAHoleAndBehindItIsNothing() throws Exception {
    FakeDisk full = new FakeDisk(2 * MIB).with(data(0, 2));

    assertThat(new HoleSearch(full).nextHole(5, full.size())).isEqualTo(2 * MIB);
    assertThat(new HoleSearch(full).nextHole(2 * MIB, full.size())).isEqualTo(-1);
    assertThat(new HoleSearch(full).nextData(2 * MIB, full.size())).isEqualTo(-1);
    assertThat(new HoleSearch(full).nextData(Long.MAX_VALUE, full.size())).isEqualTo(-1);
    assertThat(data(13 * MIB)).isEqualTo(-1);
    assertThat(hole(20 * MIB)).isEqualTo(-1);
  }

  @Test
  void nothingBehindTheEndOfTheRangeIsFound() throws Exception {
    assertThat(new HoleSearch(disk).nextData(4 * MIB, 12 * MIB)).isEqualTo(-1);
    assertThat(new HoleSearch(disk).nextHole(MIB, 2 * MIB)).isEqualTo(2 * MIB);
  }

  /** Else each step of a walk over a large disk would look at all of the map that is left. */
  @Test
  void littleMoreOfTheMapIsLookedAtThanUpToWhatIsFound() throws Exception {
    FakeDisk large = new FakeDisk(0).with(data(0, 2000));
    List<Long> asked = new ArrayList<>();
    var watched =
        new org.qcowfs.image.BlockDevice() {
          @Override
          public long size() {
            return 2000L * MIB;
          }

          @Override
          public void read(ByteBuffer destination, long guestOffset) {}

          @Override
          public void extents(long guestOffset, long length, org.qcowfs.image.ExtentVisitor visitor)
              throws java.io.IOException {
            asked.add(length);
            large.extents(guestOffset, length, visitor);
          }
        };

    assertThat(new HoleSearch(watched).nextData(0, watched.size())).isZero();
    assertThat(asked).containsExactly((long) MIB);

    asked.clear();
    assertThat(new HoleSearch(watched).nextHole(0, watched.size())).isEqualTo(watched.size());
    assertThat(asked).hasSizeLessThan(14);
  }
}
