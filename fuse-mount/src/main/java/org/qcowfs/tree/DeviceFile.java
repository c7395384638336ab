package org.qcowfs.tree;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.qcowfs.image.BlockDevice;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A disk shown as a file.
 *
 * <p>Its allocated bytes are counted when they are first asked for, under a lock that no read
 * takes.
 */
final class DeviceFile implements FileNode {
  private static final Logger LOG = LoggerFactory.getLogger(DeviceFile.class);

  private final long size;
  private final DeviceSource source;
  private final Object counting = new Object();
  private volatile OptionalLong allocated = OptionalLong.empty();

  /**
   * @param size of the disk in bytes; known before the disk is opened
   */
  DeviceFile(long size, DeviceSource source) {
    this.size = size;
    this.source = source;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public long allocatedBytes() {
    if (allocated.isEmpty()) {
      synchronized (counting) {
        if (allocated.isEmpty()) {
          allocated = OptionalLong.of(count());
        }
      }
    }
    return allocated.getAsLong();
  }

  /**
   * A disk with broken metadata can be listed all the same: what can be read of it shall be found.
   */
  private long count() {
    AtomicLong bytes = new AtomicLong();
    try {
      source
          .open()
          .extents(
              0,
              size,
              extent -> {
                if (extent.isAllocatedData()) {
                  bytes.addAndGet(extent.length());
                }
              });
      return bytes.get();
    } catch (IOException e) {
      LOG.debug("allocated bytes unknown, all are counted: {}", e.getMessage());
      return size;
    }
  }

  @Override
  public OpenFile open() throws IOException {
    return new OpenDevice(source.open());
  }

  private record OpenDevice(BlockDevice disk) implements OpenFile {
    @Override
    public int read(ByteBuffer destination, long offset) throws IOException {
      long available = Math.max(0, disk.size() - offset);
      int count = (int) Math.min(available, destination.remaining());
      if (count > 0) {
        int limit = destination.limit();
        destination.limit(destination.position() + count);
        disk.read(destination, offset);
        destination.limit(limit);
      }
      return count;
    }

    @Override
    public void close() {
      // The disk belongs to the image.
    }
  }
}
