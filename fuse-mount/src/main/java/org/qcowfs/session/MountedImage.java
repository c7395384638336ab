package org.qcowfs.session;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.qcowfs.image.Image;
import org.qcowfs.image.Images;
import org.qcowfs.tree.ImageTree;
import org.qcowfs.tree.Node;
import org.qcowfs.tree.WatchedDisk;
import org.qcowfs.tree.WriteRules;

/**
 * The image of a mount, with what belongs to it where it is written: its rules and the flush in the
 * background.
 */
final class MountedImage implements Closeable {
  private final Image image;
  private final WriteRules rules;
  private final @Nullable WatchedDisk writable;
  private final @Nullable BackgroundFlush flush;

  private MountedImage(Image image, MountOptions options) {
    this.image = image;
    this.rules = options.writes();
    this.writable = image.disk().isWritable() ? new WatchedDisk(image.disk()) : null;
    this.flush = writable == null ? null : new BackgroundFlush(writable, options.flushSeconds());
  }

  /** Opens the image as the options say. */
  static MountedImage open(Path file, MountOptions options) throws IOException {
    MountedImage opened = new MountedImage(Images.open(file, options.image()), options);
    if (opened.flush != null) {
      opened.flush.start();
    }
    return opened;
  }

  boolean isWritable() {
    return writable != null;
  }

  /** Size of the disk in bytes. */
  long diskBytes() {
    return image.disk().size();
  }

  /** What a mount over a file shows. */
  Node disk() {
    return writable == null ? ImageTree.disk(image) : ImageTree.disk(image, writable, rules);
  }

  /** What a mount over a directory shows. */
  Node directory() {
    return writable == null
        ? ImageTree.directory(image)
        : ImageTree.directory(image, writable, rules);
  }

  /**
   * Ends the flush in the background, writes what is still to be written, and closes the image.
   *
   * @throws IOException when something could not be written
   */
  @Override
  public void close() throws IOException {
    if (flush != null) {
      flush.close();
    }
    image.close();
  }
}
