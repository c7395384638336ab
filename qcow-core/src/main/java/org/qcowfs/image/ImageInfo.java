package org.qcowfs.image;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@code qemu-img info} says of an image.
 *
 * @param file the image file as the user named it
 * @param format its format
 * @param virtualBytes virtual size of the disk
 * @param actualBytes what the image file takes up on the host, in bytes
 * @param clusterBytes cluster size in bytes; 0 for a raw image
 * @param backing the backing file that the image names, if it names one
 * @param snapshots the internal snapshots
 * @param qcow2 what only a qcow2 image has
 * @param writeStop why an image that is open for writing is no longer written to, if so
 */
public record ImageInfo(
    Path file,
    ImageFormat format,
    long virtualBytes,
    long actualBytes,
    long clusterBytes,
    Optional<Backing> backing,
    List<InternalSnapshot> snapshots,
    Optional<Qcow2> qcow2,
    Optional<String> writeStop) {

  /** The same for an image that has changed since its header was read. */
  ImageInfo changedTo(long bytes, boolean markedCorrupt, Optional<String> stop) {
    return new ImageInfo(
        file,
        format,
        bytes,
        actualBytes,
        clusterBytes,
        backing,
        snapshots,
        markedCorrupt ? qcow2.map(Qcow2::markedCorrupt) : qcow2,
        stop);
  }

  /** The same under another name of the file, to which its backing file is then relative. */
  ImageInfo named(Path name) {
    return new ImageInfo(
        name,
        format,
        virtualBytes,
        actualBytes,
        clusterBytes,
        backing.map(
            named ->
                new Backing(named.name(), name.resolveSibling(named.name()), named.formatName())),
        snapshots,
        qcow2,
        writeStop);
  }

  /**
   * A backing file as the image names it.
   *
   * @param name as stored in the image
   * @param resolved the same, relative to the directory of the image
   * @param formatName the recorded format, as stored
   */
  public record Backing(String name, Path resolved, Optional<String> formatName) {}

  /**
   * Fields of a qcow2 image.
   *
   * @param version 2 or 3
   * @param compressionType QEMU's name of it: {@code zlib} or {@code zstd}
   * @param refcountBits width of a refcount in bits, 1 to 64
   * @param dataFile name of the external data file, as stored
   */
  public record Qcow2(
      int version,
      String compressionType,
      boolean lazyRefcounts,
      int refcountBits,
      boolean dirty,
      boolean corrupt,
      boolean extendedL2,
      Optional<String> dataFile,
      boolean dataFileRaw,
      List<Bitmap> bitmaps,
      Optional<String> bitmapsProblem) {
    Qcow2 markedCorrupt() {
      return new Qcow2(
          version,
          compressionType,
          lazyRefcounts,
          refcountBits,
          dirty,
          true,
          extendedL2,
          dataFile,
          dataFileRaw,
          bitmaps,
          bitmapsProblem);
    }
  }

  /**
   * A persistent dirty bitmap (section "Bitmap directory").
   *
   * @param granularityBytes how many guest bytes one bit stands for
   * @param inUse it was not saved correctly: its contents may be too old
   * @param auto it must follow every change of the disk
   */
  public record Bitmap(String name, long granularityBytes, boolean inUse, boolean auto) {}
}
