package org.qcowfs.image;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.qcowfs.cache.ClusterCache;
import org.qcowfs.cache.TableCache;
import org.qcowfs.check.DirtyImageRepair;
import org.qcowfs.check.LeakRecovery;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.error.ReferenceRefusedException;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.format.Limits;
import org.qcowfs.mapping.Qcow2Layer;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.storage.HostFile;

/**
 * Opens an image and everything that it refers to, from the top down, and builds the devices from
 * the bottom up. All or nothing: a failure closes every file that was opened.
 */
final class ChainOpener implements Closeable {
  /** Decompressed clusters of the whole chain; at least the last one is always kept. */
  private static final long CLUSTER_CACHE_BYTES = 8L << 20;

  private record Link(HostFile file, Qcow2Metadata metadata, BlockStorage guestData) {}

  private final OpenOptions options;
  private final References references;
  private final List<HostFile> opened = new ArrayList<>();

  ChainOpener(OpenOptions options) {
    this.options = options;
    this.references = new References(options.references(), options.trustedBacking());
  }

  /** Opens the chain below a qcow2 file, which becomes the opener's own to close. */
  Image openQcow2(HostFile top) throws IOException {
    Chain chain = walk(top);
    BlockDevice bottom =
        chain.rawBottom() == null ? null : RawDevice.ofWholeSectors(chain.rawBottom());
    return build(chain.links(), bottom);
  }

  /** Opens the chain as {@link #openQcow2} does, and says of each image what it says of itself. */
  List<ImageInfo> describeQcow2(HostFile top) throws IOException {
    Chain chain = walk(top);
    List<ImageInfo> described = new ArrayList<>();
    Path name = top.name();
    Iterator<Link> fromTop = chain.links().descendingIterator();
    while (fromTop.hasNext()) {
      Link link = fromTop.next();
      ImageInfo info = link.metadata().info(link.file()).named(name);
      described.add(info);
      name = info.backing().map(ImageInfo.Backing::resolved).orElse(name);
    }
    if (chain.rawBottom() != null) {
      described.add(RawImage.info(chain.rawBottom()).named(name));
    }
    return described;
  }

  /** The qcow2 images of a chain, the topmost last, and the raw file below them if there is one. */
  private record Chain(Deque<Link> links, @Nullable HostFile rawBottom) {}

  private Chain walk(HostFile top) throws IOException {
    opened.add(top);
    Deque<Link> links = new ArrayDeque<>();
    HostFile next = top;
    while (true) {
      Link link = link(next, links.isEmpty());
      links.push(link);
      Optional<Backing> backing = backing(link);
      if (backing.isEmpty()) {
        return new Chain(links, null);
      }
      if (links.size() == Limits.CHAIN_DEPTH) {
        throw new ReferenceRefusedException(
                "the backing chain goes on behind %d images".formatted(Limits.CHAIN_DEPTH))
            .in(next.name());
      }
      next = backing.get().file();
      if (backing.get().format() == ImageFormat.RAW) {
        return new Chain(links, next);
      }
    }
  }

  private Link link(HostFile file, boolean isTop) throws IOException {
    Qcow2Metadata metadata;
    try {
      metadata = Qcow2Metadata.read(file);
      if (isTop && options.write().isPresent()) {
        metadata.checkWritable(options.write().get());
        if (metadata.header().dirty()) {
          new DirtyImageRepair(file, metadata.header(), metadata.extensions()).repair();
          metadata = Qcow2Metadata.read(file);
        }
        new LeakRecovery(file, metadata.header(), metadata.extensions()).recover();
      }
    } catch (Qcow2Exception e) {
      throw e.in(file.name());
    }
    if (!metadata.header().hasDataFile()) {
      return new Link(file, metadata, file);
    }
    String name = metadata.extensions().dataFileName().orElseThrow();
    return new Link(
        file,
        metadata,
        openReferred(file, "data file", name, options.write().isPresent() && isTop));
  }

  private record Backing(HostFile file, ImageFormat format) {}

  private Optional<Backing> backing(Link link) throws IOException {
    Optional<String> name = link.metadata().backingName();
    if (name.isEmpty()) {
      return Optional.empty();
    }
    ImageFormat format = backingFormat(link);
    return Optional.of(
        new Backing(openReferred(link.file(), "backing file", name.get(), false), format));
  }

  private ImageFormat backingFormat(Link link) throws Qcow2Exception {
    Path image = link.file().name();
    Optional<String> recorded = link.metadata().extensions().backingFormat();
    if (recorded.isEmpty()) {
      return options
          .backingFormat()
          .orElseThrow(
              () ->
                  new ReferenceRefusedException(
                          "names a backing file but not its format, and a format is never guessed;"
                              + " say backing_format=raw or backing_format=qcow2")
                      .in(image));
    }
    Optional<ImageFormat> format = ImageFormat.byName(recorded.get());
    if (format.isEmpty()) {
      throw new UnsupportedFeatureException(
              "its backing file has the format '%s'; only qcow2 and raw are supported"
                  .formatted(recorded.get()))
          .in(image);
    }
    return format.get();
  }

  private HostFile openReferred(HostFile image, String role, String name, boolean writable)
      throws IOException {
    HostFile file = references.open(image, role, name, writable);
    boolean repeated = opened.stream().anyMatch(file::isSameFile);
    opened.add(file);
    if (repeated) {
      throw new ReferenceRefusedException(
              "its %s '%s' is already part of the chain: the chain has no end"
                  .formatted(role, file.name()))
          .in(image.name());
    }
    file.lock(options.lock(writable));
    return file;
  }

  private Image build(Deque<Link> links, @Nullable BlockDevice bottom) throws IOException {
    Qcow2Layer.Caches caches =
        new Qcow2Layer.Caches(
            new TableCache(options.l2CacheBytes()), new ClusterCache(CLUSTER_CACHE_BYTES));
    BlockDevice backing = bottom;
    while (true) {
      Link link = links.pop();
      Qcow2Layer.Files files = new Qcow2Layer.Files(link.file(), link.guestData(), links.size());
      Qcow2Image image =
          new Qcow2Image(
              link.file(),
              link.metadata(),
              files,
              caches,
              backing,
              this,
              links.isEmpty() ? options.write().orElse(null) : null);
      if (links.isEmpty()) {
        return image;
      }
      backing = image.disk();
    }
  }

  @Override
  public void close() throws IOException {
    IOException failure = null;
    for (HostFile file : opened) {
      try {
        file.close();
      } catch (IOException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
