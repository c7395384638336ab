package org.qcowfs.fakes;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.Extent;
import org.qcowfs.image.ExtentVisitor;
import org.qcowfs.image.ZeroMode;

/**
 * A disk in memory with the extents that a test gives it. Can be told to fail, counts how often its
 * extents were asked for, and notes what was changed and flushed.
 */
public final class FakeDisk implements BlockDevice {
  public byte[] bytes;

  /** What was done to the disk, in words: {@code write 0+512}, {@code flush} and so on. */
  public final List<String> done = new ArrayList<>();

  private final List<Extent> extents = new ArrayList<>();
  private boolean broken;
  private int extentQueries;

  public FakeDisk(int size) {
    bytes = new byte[size];
  }

  public FakeDisk with(Extent... more) {
    extents.addAll(Arrays.asList(more));
    return this;
  }

  /** From now on nothing can be read. */
  public FakeDisk broken() {
    broken = true;
    return this;
  }

  public void repaired() {
    broken = false;
  }

  public int extentQueries() {
    return extentQueries;
  }

  @Override
  public long size() {
    return bytes.length;
  }

  @Override
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    failIfBroken();
    destination.put(bytes, (int) guestOffset, destination.remaining());
  }

  /** Extents that reach outside the range are clipped as the contract says. */
  @Override
  public void extents(long guestOffset, long length, ExtentVisitor visitor) throws IOException {
    extentQueries++;
    failIfBroken();
    long end = guestOffset + length;
    for (Extent extent : extents) {
      long from = Math.max(extent.start(), guestOffset);
      long to = Math.min(extent.start() + extent.length(), end);
      if (from < to) {
        visitor.visit(clipped(extent, from, to));
      }
    }
  }

  @Override
  public boolean isWritable() {
    return true;
  }

  private void note(String change, long guestOffset, long length) throws IOException {
    failIfBroken();
    Objects.checkFromIndexSize(guestOffset, length, size());
    done.add("%s %d+%d".formatted(change, guestOffset, length));
  }

  @Override
  public void write(ByteBuffer source, long guestOffset) throws IOException {
    note("write", guestOffset, source.remaining());
    source.get(bytes, (int) guestOffset, source.remaining());
  }

  @Override
  public void writeZeroes(long guestOffset, long length, ZeroMode mode) throws IOException {
    note("zero " + mode, guestOffset, length);
    Arrays.fill(bytes, (int) guestOffset, (int) (guestOffset + length), (byte) 0);
  }

  @Override
  public void allocate(long guestOffset, long length) throws IOException {
    note("allocate", guestOffset, length);
  }

  @Override
  public void resize(long size) throws IOException {
    failIfBroken();
    bytes = Arrays.copyOf(bytes, (int) size);
    done.add("resize " + size);
  }

  @Override
  public void flush() throws IOException {
    failIfBroken();
    done.add("flush");
  }

  private static Extent clipped(Extent extent, long from, long to) {
    boolean placed = extent.hostOffset() != Extent.NO_HOST_OFFSET;
    return new Extent(
        from,
        to - from,
        extent.depth(),
        extent.present(),
        extent.zero(),
        extent.data(),
        extent.compressed(),
        placed ? extent.hostOffset() + from - extent.start() : Extent.NO_HOST_OFFSET,
        extent.hostFile());
  }

  private void failIfBroken() throws IOException {
    if (broken) {
      throw new IOException("broken on purpose");
    }
  }
}
