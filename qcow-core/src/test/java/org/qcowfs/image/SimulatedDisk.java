package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.qcowfs.cache.ClusterCache;
import org.qcowfs.cache.TableCache;
import org.qcowfs.check.DirtyImageRepair;
import org.qcowfs.check.LeakRecovery;
import org.qcowfs.check.NamedStructures;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.mapping.ActiveDisk;
import org.qcowfs.mapping.BackingSource;
import org.qcowfs.mapping.L1Table;
import org.qcowfs.mapping.Qcow2Layer;
import org.qcowfs.mapping.WriteSettings;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.crash.GuestDisk;
import org.qcowfs.testkit.crash.Promise;

/** The active disk of an image whose host files are fakes, put together as a mount does it. */
final class SimulatedDisk implements GuestDisk {
  private final CachedDisk disk;
  private final CacheMode mode;

  private SimulatedDisk(CachedDisk disk, CacheMode mode) {
    this.disk = disk;
    this.mode = mode;
  }

  /**
   * Opens an image for writing, and repairs it if it says that it is dirty.
   *
   * @param guestData the data file, or else the image
   */
  static SimulatedDisk open(BlockStorage image, BlockStorage guestData, CrashVariant variant)
      throws IOException {
    Header header = header(image);
    if (header.dirty()) {
      new DirtyImageRepair(image, header, extensions(image, header)).repair();
      header = header(image);
    }
    new LeakRecovery(image, header, extensions(image, header)).recover();
    byte[] backing = CrashVariant.bytes(variant.backing());
    Qcow2Layer.Caches caches =
        new Qcow2Layer.Caches(new TableCache(variant.l2CacheBytes()), new ClusterCache(1 << 16));
    ActiveDisk active =
        new ActiveDisk(
            new Qcow2Layer.Files(image, guestData, 0),
            header,
            l1Table(image, header),
            caches,
            backing(backing),
            backing.length,
            new WriteSettings(
                Optional.empty(),
                WriteSettings.DEFAULT_REFCOUNT_CACHE_BYTES,
                true,
                variant.reserveBytes()),
            NamedStructures.read(image, header, extensions(image, header)));
    Path name = Path.of("simulated");
    Qcow2Extents extents =
        new Qcow2Extents(
            name, guestData, active::lookup, null, new MetadataPreallocation(image, header));
    Qcow2WritableDisk writable = new Qcow2WritableDisk(active, extents, List.of());
    CachedDisk disk = new CachedDisk(name, writable, variant.mode());
    if (variant.has(CrashVariant.Trait.WITHOUT_BARRIERS)) {
      active.setBarriers(false);
    }
    return new SimulatedDisk(disk, variant.mode());
  }

  private static Header header(BlockStorage storage) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Header.DECODED_BYTES);
    storage.readFully(bytes, 0);
    return Header.decode(bytes.flip());
  }

  private static HeaderExtensions extensions(BlockStorage storage, Header header)
      throws IOException {
    ByteBuffer cluster = ByteBuffer.allocate(header.clusterBytes());
    storage.read(cluster, 0);
    return HeaderExtensions.decode(header, cluster.flip());
  }

  private static L1Table l1Table(BlockStorage storage, Header header) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(header.l1Entries() * Long.BYTES);
    storage.readFully(bytes, header.l1TableOffset());
    long[] entries = new long[header.l1Entries()];
    bytes.flip().asLongBuffer().get(entries);
    return new L1Table(entries, header.l1TableOffset());
  }

  private static BackingSource backing(byte[] content) {
    return (destination, guestOffset) -> {
      int wanted = destination.remaining();
      int there = (int) Math.max(0, Math.min(wanted, content.length - guestOffset));
      if (there > 0) {
        destination.put(content, (int) guestOffset, there);
      }
      destination.put(new byte[wanted - there]);
    };
  }

  @Override
  public long size() {
    return disk.size();
  }

  void read(ByteBuffer destination, long guestOffset) throws IOException {
    disk.read(destination, guestOffset);
  }

  @Override
  public void write(ByteBuffer source, long guestOffset) throws IOException {
    disk.write(source, guestOffset);
  }

  @Override
  public void zero(long guestOffset, long length, boolean unmap) throws IOException {
    disk.writeZeroes(guestOffset, length, unmap ? ZeroMode.UNMAP : ZeroMode.KEEP);
  }

  @Override
  public void allocate(long guestOffset, long length) throws IOException {
    disk.allocate(guestOffset, length);
  }

  /** The disk under its cache mode. */
  CachedDisk cached() {
    return disk;
  }

  @Override
  public void flush() throws IOException {
    disk.flush();
  }

  @Override
  public void resize(long bytes) throws IOException {
    disk.resize(bytes);
  }

  @Override
  public void finish() throws IOException {
    disk.finish();
  }

  @Override
  public Promise promiseOfChange() {
    return switch (mode) {
      case WRITETHROUGH, DIRECTSYNC -> Promise.SURVIVES_POWER_LOSS;
      default -> Promise.NOTHING;
    };
  }

  @Override
  public Promise promiseOfFlush() {
    return switch (mode) {
      case WRITEBACK, NONE, WRITETHROUGH, DIRECTSYNC -> Promise.SURVIVES_POWER_LOSS;
      case UNSAFE -> Promise.SURVIVES_DEATH;
      case VOLATILE -> Promise.NOTHING;
    };
  }

  @Override
  public Promise promiseOfFinish() {
    return mode == CacheMode.VOLATILE ? Promise.SURVIVES_DEATH : promiseOfFlush();
  }
}
