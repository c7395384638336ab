package org.qcowfs.session;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.Image;
import org.qcowfs.tree.DirectoryNode;
import org.qcowfs.tree.FileNode;
import org.qcowfs.tree.Node;
import org.qcowfs.tree.OpenFile;

/** The smallest tree: the disk alone. */
final class DiskTree {
  private static final String DISK = "disk.raw";

  private DiskTree() {}

  static DirectoryNode directory(Image image) {
    FileNode disk = disk(image);
    return new DirectoryNode() {
      @Override
      public Collection<String> names() {
        return List.of(DISK);
      }

      @Override
      public Optional<Node> child(String name) {
        return name.equals(DISK) ? Optional.of(disk) : Optional.empty();
      }
    };
  }

  static FileNode disk(Image image) {
    BlockDevice device = image.disk();
    return new FileNode() {
      @Override
      public long size() {
        return device.size();
      }

      @Override
      public long allocatedBytes() {
        return device.size();
      }

      @Override
      public OpenFile open() {
        return new DiskFile(device);
      }
    };
  }

  private record DiskFile(BlockDevice device) implements OpenFile {
    @Override
    public int read(ByteBuffer destination, long offset) throws IOException {
      long left = Math.max(0, device.size() - offset);
      int count = (int) Math.min(left, destination.remaining());
      destination.limit(destination.position() + count);
      device.read(destination, offset);
      return count;
    }

    @Override
    public void close() {
      // the device belongs to the image
    }
  }
}
