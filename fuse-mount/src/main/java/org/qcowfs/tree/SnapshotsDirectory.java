package org.qcowfs.tree;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.qcowfs.image.Image;
import org.qcowfs.image.InternalSnapshot;

/**
 * The internal snapshots of an image, each a directory with its disk and its partitions. No
 * snapshot is opened before a byte of it is needed, and none is looked at before the directory is.
 */
final class SnapshotsDirectory implements DirectoryNode {
  private final Image image;

  @GuardedBy("this")
  private @Nullable DirectoryNode snapshots;

  SnapshotsDirectory(Image image) {
    this.image = image;
  }

  @Override
  public Collection<String> names() throws IOException {
    return snapshots().names();
  }

  @Override
  public Optional<Node> child(String name) throws IOException {
    return snapshots().child(name);
  }

  private synchronized DirectoryNode snapshots() {
    if (snapshots == null) {
      snapshots = list(image);
    }
    return snapshots;
  }

  private static DirectoryNode list(Image image) {
    List<InternalSnapshot> stored = image.snapshots();
    List<String> names = SnapshotNames.of(stored);
    Map<String, Node> directories = new LinkedHashMap<>();
    for (int index = 0; index < stored.size(); index++) {
      directories.put(names.get(index), directory(image, stored.get(index)));
    }
    return new FixedDirectory(directories);
  }

  private static DirectoryNode directory(Image image, InternalSnapshot snapshot) {
    if (snapshot.problem().isPresent()) {
      Node reason = new BytesFile(snapshot.problem().get() + "\n");
      return new FixedDirectory(Map.of("unreadable.txt", reason));
    }
    return new FixedDirectory(
        ImageTree.diskAndPartitions(snapshot.diskBytes(), () -> image.openSnapshot(snapshot)));
  }
}
