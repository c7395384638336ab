package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;
import org.qcowfs.error.Qcow2Exception;

/**
 * The disk of a qcow2 file, or of one of its internal snapshots, with the backing chain below it.
 */
final class Qcow2Device implements BlockDevice {
  private final Path image;
  private final long size;
  private final LayerSource layer;
  private final Qcow2Extents extents;

  /**
   * @param image the qcow2 file, for messages
   */
  Qcow2Device(Path image, long size, LayerSource layer, Qcow2Extents extents) {
    this.image = image;
    this.size = size;
    this.layer = layer;
    this.extents = extents;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    Objects.checkFromIndexSize(guestOffset, destination.remaining(), size);
    try {
      layer.get().read(destination, guestOffset);
    } catch (Qcow2Exception e) {
      throw e.in(image);
    }
  }

  @Override
  public void extents(long guestOffset, long length, ExtentVisitor visitor) throws IOException {
    Objects.checkFromIndexSize(guestOffset, length, size);
    extents.visit(guestOffset, length, visitor);
  }
}
