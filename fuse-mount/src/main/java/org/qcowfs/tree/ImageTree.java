package org.qcowfs.tree;

import java.util.LinkedHashMap;
import java.util.Map;
import org.qcowfs.image.Image;
import org.qcowfs.report.AllocationMap;
import org.qcowfs.report.InfoJson;
import org.qcowfs.report.MapJson;

/**
 * What the mount of an image shows.
 *
 * <pre>
 * disk.raw                     the disk
 * partitions/N.raw             each partition; the directory is there even where it is empty
 * snapshots/NAME/disk.raw      each internal snapshot, its partitions/ beside it
 * snapshots/NAME/unreadable.txt    instead of both: why the snapshot cannot be read
 * .qcowfs/info.json            as {@code qcowfs info --json}
 * .qcowfs/map.json             as {@code qcowfs map --json}
 * </pre>
 *
 * Nothing of the disk is read before it is looked at. The image must stay open as long as the tree
 * is used.
 */
public final class ImageTree {
  private ImageTree() {}

  /** The root of a mount whose mountpoint is a directory. */
  public static DirectoryNode directory(Image image) {
    Map<String, Node> root = diskAndPartitions(image.disk().size(), image::disk);
    root.put("snapshots", new SnapshotsDirectory(image));
    root.put(".qcowfs", about(image));
    return new FixedDirectory(root);
  }

  /** The file of a mount whose mountpoint is a file. */
  public static FileNode disk(Image image) {
    return new DeviceFile(image.disk().size(), image::disk);
  }

  static Map<String, Node> diskAndPartitions(long size, DeviceSource source) {
    Map<String, Node> nodes = new LinkedHashMap<>();
    nodes.put("disk.raw", new DeviceFile(size, source));
    nodes.put("partitions", new PartitionsDirectory(source));
    return nodes;
  }

  private static DirectoryNode about(Image image) {
    Map<String, Node> files = new LinkedHashMap<>();
    files.put("info.json", new GeneratedFile(out -> InfoJson.write(image.info(), out)));
    files.put("map.json", new GeneratedFile(out -> MapJson.write(AllocationMap.of(image), out)));
    return new FixedDirectory(files);
  }
}
