package org.qcowfs.tree;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.qcowfs.image.Image;
import org.qcowfs.image.ZeroMode;

/**
 * The disk as a file that can be written. Changes of its size take turns, and so does whatever
 * depends on where the file ends and would make it longer; reads and writes run beside each other.
 */
final class WritableFile implements FileNode {
  private final WatchedDisk disk;
  private final DiskPages pages;
  private final DiskHoles holes;
  private final WriteRules rules;
  private final AllocatedBytes allocated;
  private final Map<String, ExtendedAttribute> attributes;
  private final Object resizing = new Object();
  private final ModifiedTime modified = new ModifiedTime();

  WritableFile(Image image, WatchedDisk disk, DiskPages pages, WriteRules rules) {
    this.disk = disk;
    this.pages = pages;
    this.holes = new DiskHoles(disk, pages);
    this.rules = rules;
    this.allocated = new AllocatedBytes(disk::size, () -> disk, disk);
    this.attributes = Map.of(ImageTree.CACHE_ATTRIBUTE, new CacheModeAttribute(image));
  }

  @Override
  public long size() {
    return disk.size();
  }

  @Override
  public long allocatedBytes() {
    return allocated.get();
  }

  @Override
  public boolean isWritable() {
    return true;
  }

  @Override
  public Optional<Instant> modified() {
    return modified.get();
  }

  @Override
  public void setModified(Instant time) {
    modified.set(time);
  }

  @Override
  public Map<String, ExtendedAttribute> attributes() {
    return attributes;
  }

  @Override
  public void flush() throws IOException {
    disk.flush();
  }

  @Override
  public boolean resize(long bytes) throws IOException {
    synchronized (resizing) {
      if (bytes < disk.size() && !rules.allowShrink()) {
        return false;
      }
      if (bytes != disk.size()) {
        disk.resize(bytes);
        modified.changed();
      }
      return true;
    }
  }

  @Override
  public OpenFile open() {
    return new OpenDisk(false);
  }

  @Override
  public OpenFile openForWriting() {
    return new OpenDisk(true);
  }

  private final class OpenDisk implements OpenFile {
    private final boolean forWriting;
    private boolean cached;
    private boolean bypassing;

    OpenDisk(boolean forWriting) {
      this.forWriting = forWriting;
    }

    @Override
    public boolean cachedIn(PageCache cache, boolean bypassed) {
      cached = true;
      bypassing = bypassed;
      return pages.opened(cache, forWriting, bypassed);
    }

    @Override
    public long size() {
      return disk.size();
    }

    @Override
    public long nextData(long offset) throws IOException {
      return holes.nextData(offset, disk.size());
    }

    @Override
    public long nextHole(long offset) throws IOException {
      return holes.nextHole(offset, disk.size());
    }

    @Override
    public int read(ByteBuffer destination, long offset) throws IOException {
      return DeviceFile.read(disk, destination, offset);
    }

    @Override
    public int write(ByteBuffer source, long offset) throws IOException {
      int start = source.position();
      try {
        return writeBack(source, offset);
      } finally {
        int count = source.position(start).remaining();
        if (count > 0 && bypassing) {
          pages.forgetBroughtBack(offset, count);
        } else if (count > 0) {
          pages.writtenThrough(source, offset);
        }
      }
    }

    @Override
    public int writeBack(ByteBuffer source, long offset) throws IOException {
      int count = (int) Math.min(Math.max(0, disk.size() - offset), source.remaining());
      source.limit(source.position() + count);
      if (count > 0) {
        rules.write(disk, source, offset);
        modified.changed();
      }
      return count;
    }

    @Override
    public void allocate(long offset, long length, boolean keepSize) throws IOException {
      long inside = inside(offset, length, keepSize);
      if (inside > 0) {
        disk.allocate(offset, inside);
        modified.changed();
      }
    }

    @Override
    public void zero(long offset, long length, boolean keepSize) throws IOException {
      zero(offset, inside(offset, length, keepSize), ZeroMode.KEEP);
    }

    @Override
    public void punchHole(long offset, long length) throws IOException {
      zero(offset, inside(offset, length, true), rules.discard());
    }

    private void zero(long offset, long inside, ZeroMode mode) throws IOException {
      if (inside > 0) {
        disk.writeZeroes(offset, inside, mode);
        modified.changed();
      }
    }

    /** How much of the range lies in the disk, which is made longer first if it shall be. */
    private long inside(long offset, long length, boolean keepSize) throws IOException {
      if (offset < 0 || length <= 0) {
        throw new IllegalArgumentException("%d bytes at %d".formatted(length, offset));
      }
      if (!keepSize) {
        grow(Math.addExact(offset, length));
      }
      return Math.min(disk.size() - offset, length);
    }

    private void grow(long bytes) throws IOException {
      synchronized (resizing) {
        if (bytes > disk.size()) {
          disk.resize(bytes);
        }
      }
    }

    @Override
    public void flush() throws IOException {
      disk.flush();
    }

    /** The disk itself belongs to the image. */
    @Override
    public void close() {
      if (cached) {
        pages.closed(forWriting, bypassing);
      }
    }
  }
}
