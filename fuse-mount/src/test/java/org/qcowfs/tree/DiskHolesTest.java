package org.qcowfs.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.qcowfs.fakes.KeptPages;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.Extent;
import org.qcowfs.image.ExtentVisitor;

/** What programs have changed in mappings is data, although the kernel has not written it yet. */
final class DiskHolesTest {
  private static final int PAGE = 4096;
  private static final long SIZE = 16 << 20;

  /** Which pages of the disk have been written. */
  private final boolean[] written = new boolean[(int) (SIZE / PAGE)];

  /** Which pages somebody has changed in a mapping. */
  private final boolean[] changed = new boolean[(int) (SIZE / PAGE)];

  private final List<String> asked = new ArrayList<>();
  private final WatchedDisk disk = new WatchedDisk(new PagedDisk());
  private final DiskPages pages = new DiskPages();
  private final DiskHoles holes = new DiskHoles(disk, pages);

  private final class PagedDisk implements BlockDevice {
    @Override
    public long size() {
      return SIZE;
    }

    @Override
    public void read(ByteBuffer destination, long guestOffset) {}

    @Override
    public void write(ByteBuffer source, long guestOffset) {
      written[(int) (guestOffset / PAGE)] = true;
    }

    @Override
    public void extents(long guestOffset, long length, ExtentVisitor visitor)
        throws java.io.IOException {
      long at = guestOffset;
      while (at < guestOffset + length) {
        long end = Math.min((at / PAGE + 1) * PAGE, guestOffset + length);
        boolean data = written[(int) (at / PAGE)];
        visitor.visit(
            new Extent(at, end - at, 0, data, !data, data, false, Extent.NO_HOST_OFFSET, null));
        at = end;
      }
    }
  }

  /** Writes what was changed, as the kernel does. */
  private void writeOut(long offset, long length) throws java.io.IOException {
    asked.add(offset + "+" + length);
    for (int i = (int) (offset / PAGE); i * (long) PAGE < offset + length; i++) {
      if (changed[i]) {
        changed[i] = false;
        disk.write(ByteBuffer.allocate(PAGE), (long) i * PAGE);
      }
    }
  }

  private void open(boolean forWriting, boolean bypassed) {
    pages.opened(new KeptPages(this::writeOut), forWriting, bypassed);
  }

  @Test
  void aPageChangedInAMappingEndsAHole() throws Exception {
    open(true, false);
    written[100] = true;
    changed[40] = true;

    assertThat(holes.nextData(0, SIZE)).isEqualTo(40 * PAGE);
    assertThat(holes.nextData(41 * PAGE, SIZE)).isEqualTo(100 * PAGE);
    changed[200] = true;
    assertThat(holes.nextData(101 * PAGE, SIZE)).isEqualTo(200 * PAGE);
    assertThat(holes.nextData(201 * PAGE, SIZE)).isEqualTo(-1);
  }

  @Test
  void dataGoesOnOverPagesChangedInAMapping() throws Exception {
    open(true, false);
    for (int i = 0; i < 1000; i++) {
      written[i] = i < 10;
      changed[i] = i >= 10;
    }

    assertThat(holes.nextHole(0, SIZE)).isEqualTo(1000 * PAGE);
  }

  @Test
  void whereNobodyCanHaveChangedAMappingTheKernelIsNotAsked() throws Exception {
    assertThat(holes.nextData(0, SIZE)).isEqualTo(-1);
    open(false, false);
    open(true, true);

    assertThat(holes.nextHole(0, SIZE)).isZero();
    assertThat(holes.nextData(0, SIZE)).isEqualTo(-1);
    assertThat(asked).isEmpty();
  }
}
