package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.qcowfs.mapping.ActiveDisk;
import org.qcowfs.storage.HostFile;

/** The active disk of a qcow2 image that is open for writing. */
final class Qcow2WritableDisk implements WritableDisk {
  private final ActiveDisk disk;
  private final Qcow2Extents extents;
  private final List<HostFile> files;

  /**
   * @param files the image file, and the external data file if there is one
   */
  Qcow2WritableDisk(ActiveDisk disk, Qcow2Extents extents, List<HostFile> files) {
    this.disk = disk;
    this.extents = extents;
    this.files = files;
  }

  @Override
  public long size() {
    return disk.size();
  }

  @Override
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    disk.read(destination, guestOffset);
  }

  @Override
  public void extents(long guestOffset, long length, ExtentVisitor visitor) throws IOException {
    extents.visit(guestOffset, length, visitor);
  }

  @Override
  public void write(ByteBuffer source, long guestOffset) throws IOException {
    disk.write(source, guestOffset);
  }

  @Override
  public void zero(long guestOffset, long length, ZeroMode mode) throws IOException {
    disk.zero(guestOffset, length, mode == ZeroMode.UNMAP);
  }

  @Override
  public void allocate(long guestOffset, long length) throws IOException {
    disk.allocate(guestOffset, length);
  }

  @Override
  public void resize(long bytes) throws IOException {
    disk.resize(bytes);
  }

  @Override
  public void flushToOs() throws IOException {
    disk.flushToOs();
  }

  @Override
  public void flushToDisk() throws IOException {
    disk.flushToDisk();
  }

  @Override
  public void checkSound() throws IOException {
    disk.checkSound();
  }

  @Override
  public boolean isMarkedCorrupt() {
    return disk.isMarkedCorrupt();
  }

  @Override
  public void prepareFor(CacheMode mode) throws IOException {
    for (HostFile file : files) {
      file.setDirect(mode.isDirect());
    }
    disk.setBarriers(mode.hasBarriers());
  }

  @Override
  public void finish() throws IOException {
    disk.close();
  }
}
