package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.qcowfs.error.ReferenceRefusedException;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.format.NewImage;

/** Opens an image for reading under a qcow2 overlay that takes the writes. */
final class Overlays {
  private static final int SECTOR_BYTES = 512;

  private Overlays() {}

  /**
   * Opens an image under an overlay.
   *
   * @param options with write options; the image itself is opened for reading
   */
  static Image open(Path image, WriteOptions.Overlay overlay, OpenOptions options)
      throws IOException {
    OpenOptions direct = options.withWrite(options.write().orElseThrow().withoutOverlay());
    return overlay.file().isPresent()
        ? openKept(image, overlay.file().get(), direct)
        : openDiscarded(image, direct);
  }

  /** What is written is gone when the image is closed. */
  private static Image openDiscarded(Path image, OpenOptions options) throws IOException {
    Path overlay = Files.createTempFile("qcowfs-overlay-", ".qcow2");
    try {
      writeNew(overlay, image, options);
      return openOver(overlay, image, options);
    } finally {
      // The open file is all that is needed of it.
      Files.delete(overlay);
    }
  }

  /**
   * An earlier overlay of the same image is continued, else one is made.
   *
   * @throws ReferenceRefusedException when the file is there but not an overlay of the image
   */
  private static Image openKept(Path image, Path overlay, OpenOptions options) throws IOException {
    if (!Files.exists(overlay)) {
      Files.createFile(overlay);
      writeNew(overlay, image, options);
    } else {
      checkOverlayOf(image, overlay, options);
    }
    return openOver(overlay, image, options);
  }

  private static Image openOver(Path overlay, Path image, OpenOptions options) throws IOException {
    return Images.open(
        overlay, options.withFormat(ImageFormat.QCOW2).withTrustedBacking(image.toRealPath()));
  }

  private static void writeNew(Path overlay, Path image, OpenOptions options) throws IOException {
    ImageInfo info = Images.info(image, options.forReading());
    long size = info.virtualBytes() + SECTOR_BYTES - 1 & -SECTOR_BYTES;
    ByteBuffer bytes;
    try {
      bytes =
          NewImage.encode(
              size,
              Optional.of(
                  new NewImage.Backing(image.toRealPath().toString(), info.format().formatName())));
    } catch (IllegalArgumentException e) {
      throw new UnsupportedFeatureException("no overlay can be made: " + e.getMessage()).in(image);
    }
    try (FileChannel channel = FileChannel.open(overlay, StandardOpenOption.WRITE)) {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
  }

  private static void checkOverlayOf(Path image, Path overlay, OpenOptions options)
      throws IOException {
    Optional<ImageInfo.Backing> backing =
        Images.info(overlay, options.forReading().withFormat(ImageFormat.QCOW2)).backing();
    boolean same =
        backing.isPresent()
            && Files.exists(backing.get().resolved())
            && Files.isSameFile(backing.get().resolved(), image);
    if (!same) {
      throw new ReferenceRefusedException("is there, but it is not an overlay of " + image)
          .in(overlay);
    }
  }
}
