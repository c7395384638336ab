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
  /** The name of the disk in a mount whose mountpoint is a directory. */
  public static final String DISK = "disk.raw";

  /** The extended attribute of a writable disk that holds the name of its cache mode. */
  public static final String CACHE_ATTRIBUTE = "user.qcowfs.cache";

  private static final String PARTITIONS = "partitions";

  private ImageTree() {}

  /** The root of a read-only mount whose mountpoint is a directory. */
  public static DirectoryNode directory(Image image) {
    return root(image, diskAndPartitions(image.disk().size(), image::disk), Changes.NONE);
  }

  /**
   * The root of a mount whose disk and partitions can be written; everything else in it can only be
   * read.
   *
   * @param disk the image's disk
   */
  public static DirectoryNode directory(Image image, WatchedDisk disk, WriteRules rules) {
    Map<String, Node> nodes = new LinkedHashMap<>();
    DiskPages pages = new DiskPages();
    nodes.put(DISK, new WritableFile(image, disk, pages, rules));
    nodes.put(PARTITIONS, PartitionsDirectory.writable(disk, pages, rules));
    return root(image, nodes, disk);
  }

  /** The file of a read-only mount whose mountpoint is a file. */
  public static FileNode disk(Image image) {
    return new DeviceFile(image.disk().size(), image::disk);
  }

  /** The file of a mount whose mountpoint is a file and whose disk can be written. */
  public static FileNode disk(Image image, WatchedDisk disk, WriteRules rules) {
    return new WritableFile(image, disk, new DiskPages(), rules);
  }

  static Map<String, Node> diskAndPartitions(long size, DeviceSource source) {
    Map<String, Node> nodes = new LinkedHashMap<>();
    nodes.put(DISK, new DeviceFile(size, source));
    nodes.put(PARTITIONS, PartitionsDirectory.of(source));
    return nodes;
  }

  private static DirectoryNode root(Image image, Map<String, Node> diskNodes, Changes changes) {
    diskNodes.put("snapshots", new SnapshotsDirectory(image));
    diskNodes.put(".qcowfs", about(image, changes));
    return new FixedDirectory(diskNodes);
  }

  private static DirectoryNode about(Image image, Changes changes) {
    Map<String, Node> files = new LinkedHashMap<>();
    // An image may be marked corrupt by a read, too.
    Changes andStop = () -> changes.count() + (image.writeStop().isPresent() ? 1 : 0);
    files.put("info.json", new GeneratedFile(out -> InfoJson.write(image.info(), out), andStop));
    files.put(
        "map.json", new GeneratedFile(out -> MapJson.write(AllocationMap.of(image), out), changes));
    return new FixedDirectory(files);
  }
}
