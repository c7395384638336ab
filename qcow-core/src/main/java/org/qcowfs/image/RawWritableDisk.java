package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.storage.HostFile;

/** A raw image open for writing: there is no metadata, so flush-to-OS has nothing to do. */
final class RawWritableDisk implements WritableDisk {
  private final HostFile file;
  private volatile RawDevice device;
  private volatile boolean barriers = true;
  private volatile boolean changed;

  RawWritableDisk(HostFile file) throws IOException {
    this.file = file;
    this.device = RawDevice.ofExactSize(file);
  }

  @Override
  public long size() {
    return device.size();
  }

  @Override
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    device.read(destination, guestOffset);
  }

  @Override
  public void extents(long guestOffset, long length, ExtentVisitor visitor) throws IOException {
    device.extents(guestOffset, length, visitor);
  }

  @Override
  public void write(ByteBuffer source, long guestOffset) throws IOException {
    changed = true;
    file.write(source, guestOffset);
  }

  @Override
  public void zero(long guestOffset, long length, ZeroMode mode) throws IOException {
    changed = true;
    if (mode == ZeroMode.UNMAP) {
      file.punchHole(guestOffset, length);
    } else {
      file.zeroRange(guestOffset, length);
    }
  }

  @Override
  public void allocate(long guestOffset, long length) throws IOException {
    changed = true;
    file.allocate(guestOffset, length);
  }

  @Override
  public synchronized void resize(long bytes) throws IOException {
    changed = true;
    file.resize(bytes);
    device = RawDevice.ofExactSize(file);
  }

  @Override
  public void flushToOs() {
    // Every write was handed to the operating system before it was acknowledged.
  }

  @Override
  public void flushToDisk() throws IOException {
    file.flushToDisk();
  }

  @Override
  public void checkSound() throws IOException {
    file.checkSound();
  }

  @Override
  public boolean isMarkedCorrupt() {
    return false;
  }

  @Override
  public void prepareFor(CacheMode mode) throws IOException {
    barriers = mode.hasBarriers();
    file.setDirect(mode.isDirect());
  }

  @Override
  public void finish() throws IOException {
    file.checkSound();
    if (changed && barriers) {
      file.flushToDisk();
    }
  }
}
