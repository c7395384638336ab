package org.qcowfs.image;

import java.io.Closeable;
import java.io.IOException;
import java.lang.ref.SoftReference;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.qcowfs.check.NamedStructures;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.format.SnapshotEntry;
import org.qcowfs.mapping.ActiveDisk;
import org.qcowfs.mapping.BackingSource;
import org.qcowfs.mapping.L1Table;
import org.qcowfs.mapping.Qcow2Layer;
import org.qcowfs.storage.HostFile;

/**
 * A qcow2 image and what it refers to. The topmost of a chain owns the files of the whole chain.
 *
 * <p>Thread rules: as {@link Image}. The device of a snapshot is made once; its L1 table may be
 * dropped when memory is short, and is then read again.
 */
final class Qcow2Image implements Image {
  private final HostFile file;
  private final Qcow2Metadata metadata;
  private final Qcow2Layer.Files files;
  private final Qcow2Layer.Caches caches;
  private final @Nullable BlockDevice backing;
  private final MetadataPreallocation preallocation;
  private final Closeable chainFiles;
  private final Map<Integer, BlockDevice> snapshotDevices = new ConcurrentHashMap<>();
  private final @Nullable CachedDisk writable;
  private final BlockDevice disk;

  /**
   * @param backing the disk of the backing file, if there is one
   * @param chainFiles closed with the image
   * @param write how to write to the disk, or null where it is only read
   */
  Qcow2Image(
      HostFile file,
      Qcow2Metadata metadata,
      Qcow2Layer.Files files,
      Qcow2Layer.Caches caches,
      @Nullable BlockDevice backing,
      Closeable chainFiles,
      @Nullable WriteOptions write)
      throws IOException {
    this.file = file;
    this.metadata = metadata;
    this.files = files;
    this.caches = caches;
    this.backing = backing;
    this.preallocation = new MetadataPreallocation(file, metadata.header());
    this.chainFiles = chainFiles;
    L1Table l1Table = readActiveL1Table();
    if (write == null) {
      Qcow2Layer active = layer(l1Table);
      this.writable = null;
      this.disk = device(metadata.header().virtualSize(), () -> active);
    } else {
      this.writable = writableDisk(l1Table, write);
      this.disk = writable;
    }
  }

  private L1Table readActiveL1Table() throws IOException {
    try {
      return new L1Table(metadata.readL1Table(file), metadata.header().l1TableOffset());
    } catch (Qcow2Exception e) {
      throw e.in(file.name());
    }
  }

  private CachedDisk writableDisk(L1Table l1Table, WriteOptions write) throws IOException {
    try {
      ActiveDisk active =
          new ActiveDisk(
              files,
              metadata.header(),
              l1Table,
              caches,
              backingSource(backing),
              backing == null ? 0 : backing.size(),
              write.settings(),
              NamedStructures.read(file, metadata.header(), metadata.extensions()));
      Qcow2Extents extents = extents(active::lookup);
      List<HostFile> hostFiles =
          files.guestData() instanceof HostFile data && data != file
              ? List.of(file, data)
              : List.of(file);
      return new CachedDisk(
          file.name(), new Qcow2WritableDisk(active, extents, hostFiles), write.cacheMode());
    } catch (Qcow2Exception e) {
      throw e.in(file.name());
    }
  }

  private Qcow2Extents extents(Qcow2Extents.Lookup layer) {
    return new Qcow2Extents(file.name(), files.guestData(), layer, backing, preallocation);
  }

  private Qcow2Layer layer(L1Table l1Table) {
    return new Qcow2Layer(files, metadata.header(), l1Table, caches, backingSource(backing));
  }

  private static BackingSource backingSource(@Nullable BlockDevice backing) {
    if (backing == null) {
      return BackingSource.ZEROS;
    }
    return (destination, guestOffset) -> {
      int limit = destination.limit();
      long available = Math.max(0, backing.size() - guestOffset);
      int count = (int) Math.min(available, destination.remaining());
      if (count > 0) {
        backing.read(destination.limit(destination.position() + count), guestOffset);
      }
      BackingSource.ZEROS.read(destination.limit(limit), guestOffset + count);
    };
  }

  private BlockDevice device(long size, LayerSource layer) {
    Qcow2Extents extents =
        extents((guestOffset, maxLength, run) -> layer.get().lookup(guestOffset, maxLength, run));
    return new Qcow2Device(file.name(), size, layer, extents);
  }

  @Override
  public BlockDevice disk() {
    return disk;
  }

  @Override
  public List<InternalSnapshot> snapshots() {
    return metadata.shownSnapshots();
  }

  @Override
  public BlockDevice openSnapshot(InternalSnapshot snapshot) throws IOException {
    Qcow2Metadata.Snapshot found = metadata.snapshots().get(snapshot.index());
    if (!found.shown().equals(snapshot)) {
      throw new IllegalArgumentException("not a snapshot of this image: " + snapshot);
    }
    if (snapshot.problem().isPresent() || found.entry().isEmpty()) {
      throw new CorruptImageException(
              "Snapshot table",
              metadata.header().snapshotTableOffset(),
              snapshot.problem().orElse("the entry is lost"))
          .in(file.name());
    }
    SnapshotEntry entry = found.entry().get();
    return snapshotDevices.computeIfAbsent(
        snapshot.index(), index -> device(snapshot.diskBytes(), new SnapshotLayer(entry)));
  }

  /** The layer of a snapshot, read when it is first used and again after it was dropped. */
  private final class SnapshotLayer implements LayerSource {
    private final SnapshotEntry entry;
    private volatile SoftReference<Qcow2Layer> kept = new SoftReference<>(null);

    SnapshotLayer(SnapshotEntry entry) {
      this.entry = entry;
    }

    @Override
    public Qcow2Layer get() throws IOException {
      Qcow2Layer layer = kept.get();
      if (layer == null) {
        layer =
            layer(
                new L1Table(
                    Qcow2Metadata.readL1Table(
                        file,
                        metadata.header(),
                        entry.l1TableOffset(),
                        Math.toIntExact(entry.l1Entries())),
                    entry.l1TableOffset()));
        kept = new SoftReference<>(layer);
      }
      return layer;
    }
  }

  @Override
  public ImageInfo info() throws IOException {
    ImageInfo info = metadata.info(file);
    return writable == null ? info : writable.updated(info);
  }

  @Override
  public Optional<String> writeStop() {
    return writable == null ? Optional.empty() : writable.writeStop();
  }

  @Override
  public Optional<CacheMode> cacheMode() {
    return Optional.ofNullable(writable).map(CachedDisk::mode);
  }

  @Override
  public void setCacheMode(CacheMode mode) throws IOException {
    if (writable == null) {
      throw new ReadOnlyImageException("the image is open for reading only").in(file.name());
    }
    writable.switchTo(mode);
  }

  @Override
  public void close() throws IOException {
    try (chainFiles) {
      if (writable != null) {
        writable.finish();
      }
    }
  }
}
