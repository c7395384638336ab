package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.Image;
import org.qcowfs.image.Images;
import org.qcowfs.image.InternalSnapshot;
import org.qcowfs.image.OpenOptions;

/** What can be read of an image, cluster by cluster, of the disk and of each internal snapshot. */
final class GuestBytes {
  private final Map<String, byte[]> clusters = new TreeMap<>();

  /** Reads the clusters that a shape has written, and one that it has not. */
  static GuestBytes of(Path file, CheckShape shape) {
    GuestBytes bytes = new GuestBytes();
    try (Image image = Images.open(file, OpenOptions.defaults())) {
      bytes.read("disk", image.disk(), shape);
      for (InternalSnapshot snapshot : image.snapshots()) {
        if (snapshot.problem().isEmpty() && !snapshot.id().isEmpty()) {
          bytes.readSnapshot(image, snapshot, shape);
        }
      }
    } catch (IOException e) {
      // it cannot be opened, so nothing of it can be read
      bytes.clusters.put("error", new byte[0]);
    }
    return bytes;
  }

  private void readSnapshot(Image image, InternalSnapshot snapshot, CheckShape shape) {
    try {
      read("snapshot " + snapshot.id(), image.openSnapshot(snapshot), shape);
    } catch (IOException e) {
      clusters.remove("snapshot " + snapshot.id());
    }
  }

  private void read(String name, BlockDevice device, CheckShape shape) {
    for (long cluster : new long[] {0, 1, 2, 3, 4, 5, 6, shape.perTable() + 2}) {
      long offset = cluster << shape.clusterBits;
      int length = (int) Math.min(shape.clusterBytes(), device.size() - offset);
      if (length > 0) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(length);
        try {
          device.read(buffer, offset);
          byte[] bytes = new byte[length];
          buffer.get(0, bytes);
          clusters.put(name + " cluster " + cluster, bytes);
        } catch (IOException e) {
          clusters.remove(name + " cluster " + cluster);
        }
      }
    }
  }

  /** Which clusters could be read here, but not in the other image or with other bytes. */
  List<String> lostIn(GuestBytes other) {
    List<String> lost = new ArrayList<>();
    clusters.forEach(
        (name, bytes) -> {
          byte[] there = other.clusters.get(name);
          if (!name.equals("error") && !java.util.Arrays.equals(bytes, there)) {
            lost.add(name + (there == null ? " unreadable" : " changed"));
          }
        });
    return lost;
  }
}
