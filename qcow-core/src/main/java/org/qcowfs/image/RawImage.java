package org.qcowfs.image;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.qcowfs.storage.HostFile;

/** A raw image file. It has no snapshots and names no other file. */
final class RawImage implements Image {
  private final HostFile file;
  private final RawDevice disk;

  RawImage(HostFile file) throws IOException {
    this.file = file;
    this.disk = RawDevice.ofExactSize(file);
  }

  @Override
  public BlockDevice disk() {
    return disk;
  }

  @Override
  public List<InternalSnapshot> snapshots() {
    return List.of();
  }

  @Override
  public BlockDevice openSnapshot(InternalSnapshot snapshot) {
    throw new IllegalArgumentException("not a snapshot of this image: " + snapshot);
  }

  @Override
  public ImageInfo info() throws IOException {
    return info(file);
  }

  static ImageInfo info(HostFile file) throws IOException {
    return new ImageInfo(
        file.name(),
        ImageFormat.RAW,
        file.size(),
        file.allocatedBytes(),
        0,
        Optional.empty(),
        List.of(),
        Optional.empty());
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
