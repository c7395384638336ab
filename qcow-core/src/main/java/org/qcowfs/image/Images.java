package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.qcowfs.check.CheckReport;
import org.qcowfs.check.ImageCheck;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.format.Header;
import org.qcowfs.storage.HostFile;

/** Opens images. */
public final class Images {
  private Images() {}

  /** Loads the native calls of the engine, as opening the first image would. Any thread. */
  public static void loadNativeCalls() {
    HostFile.loadNativeCalls();
  }

  /**
   * Opens an image for reading, or for writing too, with everything that it refers to as far as the
   * options allow.
   *
   * <p>The format is the one that the options name; else raw where the file's name ends in {@code
   * .raw}; else qcow2 where the file begins with its magic (the user named this file, no image
   * did); else raw where the name ends in {@code .img}. The first two let nobody inside a raw disk
   * turn it into an image of another format.
   *
   * @throws Qcow2Exception when the image is refused
   * @throws IOException when the host fails; the message names the file
   */
  public static Image open(Path file, OpenOptions options) throws IOException {
    if (options.snapshot().isPresent() && options.write().isPresent()) {
      throw new ReadOnlyImageException("an internal snapshot can only be read; mount it with ro")
          .in(file);
    }
    Optional<WriteOptions.Overlay> overlay = options.write().flatMap(WriteOptions::overlay);
    if (overlay.isPresent()) {
      return Overlays.open(file, overlay.get(), options);
    }
    HostFile hostFile = openLocked(file, options);
    ChainOpener chain = new ChainOpener(options);
    try {
      Image image =
          formatOf(hostFile, options) == ImageFormat.RAW
              ? new RawImage(hostFile, options.write())
              : chain.openQcow2(hostFile);
      return options.snapshot().isPresent()
          ? SnapshotView.of(image, options.snapshot().get())
          : image;
    } catch (Qcow2Exception e) {
      closeAfter(e, chain, hostFile);
      throw e.in(file);
    } catch (IOException | RuntimeException | Error e) {
      closeAfter(e, chain, hostFile);
      throw e;
    }
  }

  /**
   * What an image file says of itself. Opens no other file, whatever the image names.
   *
   * @throws Qcow2Exception when the image is refused
   * @throws IOException when the host fails; the message names the file
   */
  public static ImageInfo info(Path file, OpenOptions options) throws IOException {
    try (HostFile hostFile = openLocked(file, options)) {
      return formatOf(hostFile, options) == ImageFormat.RAW
          ? RawImage.info(hostFile)
          : Qcow2Metadata.read(hostFile).info(hostFile);
    } catch (Qcow2Exception e) {
      throw e.in(file);
    }
  }

  /**
   * What every image of a backing chain says of itself, the image first. Opens the backing files,
   * and external data files, as far as the options allow; each is named as the image above it names
   * it.
   *
   * @throws Qcow2Exception when an image of the chain is refused
   * @throws IOException when the host fails; the message names the file
   */
  public static List<ImageInfo> chainInfo(Path file, OpenOptions options) throws IOException {
    HostFile hostFile = openLocked(file, options);
    try (ChainOpener chain = new ChainOpener(options);
        hostFile) {
      return formatOf(hostFile, options) == ImageFormat.RAW
          ? List.of(RawImage.info(hostFile))
          : chain.describeQcow2(hostFile);
    } catch (Qcow2Exception e) {
      throw e.in(file);
    }
  }

  /** What a check may change. */
  public enum Repair {
    /** Nothing. */
    NONE,
    /** Clusters that nothing refers to are given back. */
    LEAKS,
    /** Everything that is found. */
    ALL
  }

  /**
   * Checks a qcow2 image, and repairs it if asked to. The image may be damaged in any way. Opens no
   * other file, whatever the image names.
   *
   * <p>What survives a crash of a repair: an image no worse than before, to be repaired again.
   *
   * @param options format and sharing; the rest does not matter
   * @throws Qcow2Exception when the image cannot be checked at all, or another program uses it
   * @throws IOException when the host fails; the message names the file
   */
  public static CheckReport check(
      Path file, OpenOptions options, Repair repair, ImageCheck.Progress progress)
      throws IOException {
    boolean writes = repair != Repair.NONE;
    try (HostFile hostFile =
        openLocked(file, writes ? options.withWrite(WriteOptions.defaults()) : options)) {
      if (formatOf(hostFile, options) == ImageFormat.RAW) {
        throw new UnsupportedFeatureException("a raw image has no structure that could be checked");
      }
      ImageCheck check = new ImageCheck(hostFile, progress);
      return switch (repair) {
        case NONE -> check.check();
        case LEAKS -> check.repairLeaks();
        case ALL -> check.repairAll();
      };
    } catch (Qcow2Exception e) {
      throw e.in(file);
    }
  }

  private static HostFile openLocked(Path file, OpenOptions options) throws IOException {
    boolean writable = options.write().isPresent();
    HostFile hostFile = writable ? HostFile.openReadWrite(file) : HostFile.openReadOnly(file);
    try {
      // Before the first byte is read: what is read must not change under us.
      hostFile.lock(options.lock(writable));
      return hostFile;
    } catch (IOException | RuntimeException e) {
      hostFile.close();
      throw e;
    }
  }

  private static ImageFormat formatOf(HostFile file, OpenOptions options) throws IOException {
    if (options.format().isPresent()) {
      return options.format().get();
    }
    String name = String.valueOf(file.name().getFileName()).toLowerCase(Locale.ROOT);
    if (name.endsWith(".raw")) {
      return ImageFormat.RAW;
    }
    ByteBuffer magic = ByteBuffer.allocate(Integer.BYTES);
    file.read(magic, 0);
    if (Header.hasMagic(magic.flip())) {
      return ImageFormat.QCOW2;
    }
    if (name.endsWith(".img")) {
      return ImageFormat.RAW;
    }
    throw new UnsupportedFeatureException(
        "not a qcow2 image (its magic is missing), and its name ends in neither .raw nor .img; if"
            + " it is a raw disk, say so with format=raw");
  }

  private static void closeAfter(Throwable failure, ChainOpener chain, HostFile file) {
    try {
      chain.close();
      file.close();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }
}
