package org.qcowfs.image;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.storage.HostFile;

/** A raw image file. It has no snapshots and names no other file. */
final class RawImage implements Image {
  private final HostFile file;
  private final @Nullable CachedDisk writable;
  private final BlockDevice disk;

  RawImage(HostFile file, Optional<WriteOptions> write) throws IOException {
    this.file = file;
    this.writable =
        write.isPresent()
            ? new CachedDisk(file.name(), new RawWritableDisk(file), write.get().cacheMode())
            : null;
    this.disk = writable != null ? writable : RawDevice.ofExactSize(file);
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
    return writable == null ? info(file) : writable.updated(info(file));
  }

  @Override
  public Optional<String> writeStop() {
    return writable == null ? Optional.empty() : writable.writeStop();
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
        Optional.empty(),
        Optional.empty());
  }

  @Override
  public Optional<CacheMode> cacheMode() {
    return Optional.ofNullable(writable).map(CachedDisk::mode);
  }

  @Override
  public void setCacheMode(CacheMode mode) throws IOException {
    if (writable == null) {
      throw new ReadOnlyImageException("the image is open for reading only").in(file.name());
    }
    writable.switchTo(mode);
  }

  @Override
  public void close() throws IOException {
    try (file) {
      if (writable != null) {
        writable.finish();
      }
    }
  }
}
