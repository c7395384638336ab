package org.qcowfs.image;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.qcowfs.error.UnsupportedFeatureException;

/** An image that was opened at one of its internal snapshots: its disk is that of the snapshot. */
final class SnapshotView implements Image {
  private final Image image;
  private final BlockDevice disk;

  private SnapshotView(Image image, BlockDevice disk) {
    this.image = image;
    this.disk = disk;
  }

  /**
   * @param nameOrId the name of a snapshot, or else the ID of one
   */
  static Image of(Image image, String nameOrId) throws IOException {
    InternalSnapshot snapshot =
        image.snapshots().stream()
            .filter(candidate -> candidate.name().equals(nameOrId))
            .findFirst()
            .or(
                () ->
                    image.snapshots().stream()
                        .filter(candidate -> candidate.id().equals(nameOrId))
                        .findFirst())
            .orElseThrow(() -> noSuchSnapshot(image, nameOrId));
    return new SnapshotView(image, image.openSnapshot(snapshot));
  }

  private static UnsupportedFeatureException noSuchSnapshot(Image image, String nameOrId) {
    List<String> names = image.snapshots().stream().map(InternalSnapshot::name).limit(10).toList();
    return new UnsupportedFeatureException(
        "no internal snapshot has the name or ID '%s'; the image has %s"
            .formatted(nameOrId, names.isEmpty() ? "none" : String.join(", ", names)));
  }

  @Override
  public BlockDevice disk() {
    return disk;
  }

  @Override
  public List<InternalSnapshot> snapshots() {
    return image.snapshots();
  }

  @Override
  public BlockDevice openSnapshot(InternalSnapshot snapshot) throws IOException {
    return image.openSnapshot(snapshot);
  }

  @Override
  public ImageInfo info() throws IOException {
    return image.info();
  }

  @Override
  public Optional<CacheMode> cacheMode() {
    return image.cacheMode();
  }

  @Override
  public void setCacheMode(CacheMode mode) throws IOException {
    image.setCacheMode(mode);
  }

  @Override
  public void close() throws IOException {
    image.close();
  }
}
