package org.qcowfs.report;

import java.io.IOException;
import java.nio.file.Path;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.Extent;
import org.qcowfs.image.ExtentVisitor;
import org.qcowfs.image.Image;
import org.qcowfs.image.ImageInfo;

/**
 * Where the disk of an image, or a part of it, lies: the extents that {@code qemu-img map} would
 * list. Thread-safe; nothing is read of the disk before it is written out.
 */
public final class AllocationMap {
  private final BlockDevice disk;
  private final Path file;
  private final long start;
  private final long end;

  private AllocationMap(BlockDevice disk, Path file, long start, long end) {
    this.disk = disk;
    this.file = file;
    this.start = start;
    this.end = end;
  }

  /** The map of the whole disk. */
  public static AllocationMap of(Image image) throws IOException {
    return of(image, 0, Long.MAX_VALUE);
  }

  /**
   * The map of a part of the disk; empty where that lies behind the end.
   *
   * @param start guest offset in bytes
   * @param maxLength in bytes; may reach beyond the end
   */
  public static AllocationMap of(Image image, long start, long maxLength) throws IOException {
    ImageInfo info = image.info();
    long padding = InfoJson.virtualBytes(info) - info.virtualBytes();
    long diskEnd = image.disk().size() + padding;
    long end = maxLength > diskEnd - start ? diskEnd : start + maxLength;
    return new AllocationMap(image.disk(), info.file(), start, end);
  }

  /** Guest offset of the first byte. */
  long start() {
    return start;
  }

  /** Visits the extents in ascending order, neighbours that are alike as one. */
  void visit(ExtentVisitor visitor) throws IOException {
    ExtentMerger merger = new ExtentMerger(visitor);
    long endOnDisk = Math.min(end, disk.size());
    if (start < endOnDisk) {
      disk.extents(start, endOnDisk - start, merger);
    }
    if (Math.max(start, disk.size()) < end) {
      merger.visit(padding(Math.max(start, disk.size())));
    }
    merger.finish();
  }

  /** The part of the last sector that a raw file does not have and QEMU shows as a hole. */
  private Extent padding(long from) {
    return new Extent(from, end - from, 0, true, true, false, false, from, file);
  }
}
