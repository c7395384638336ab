package org.qcowfs.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Lays out a qcow2 image: a valid one, which a test then pokes. What QEMU calls clean, unless raw
 * entries or extensions say otherwise.
 *
 * <p>The order in the file: header, L1 tables with the L2 tables and clusters of each disk,
 * snapshot table, bitmap directory, refcount table, refcount blocks.
 */
public final class ImageBuilder {
  public static final int EXTENSION_BACKING_FORMAT = 0xe2792aca;
  public static final int EXTENSION_FEATURE_NAMES = 0x6803f857;
  public static final int EXTENSION_BITMAPS = 0x23852875;
  public static final int EXTENSION_DATA_FILE = 0x44415441;

  private record Snapshot(SnapshotSpec spec, @Nullable DiskContents contents) {}

  private final int version;
  private final int clusterBits;
  private final Map<Integer, byte[]> extensions = new LinkedHashMap<>();
  private final ByteArrayOutputStream featureNames = new ByteArrayOutputStream();
  private final List<BitmapSpec> bitmaps = new ArrayList<>();
  private final List<Snapshot> snapshots = new ArrayList<>();
  private long virtualSize = 1 << 20;
  private long l1EntriesMore;
  private long hostOffsetMin;
  private int refcountOrder = 4;
  private long incompatible;
  private long compatible;
  private long autoclear;
  private boolean zstd;
  private boolean scattered;
  private @Nullable String backingName;
  private @Nullable SparseBytes dataFile;
  private @Nullable DiskContents disk;

  /**
   * @param version 2 or 3
   * @param clusterBits log2 of the cluster size
   */
  public ImageBuilder(int version, int clusterBits) {
    this.version = version;
    this.clusterBits = clusterBits;
  }

  /** In bytes; 1 MiB unless said otherwise. To be said before {@link #disk}. */
  public ImageBuilder virtualSize(long bytes) {
    virtualSize = bytes;
    return this;
  }

  /** Makes the L1 table longer than the disk needs. */
  public ImageBuilder moreL1Entries(long count) {
    l1EntriesMore = count;
    return this;
  }

  /** Lets the tables and clusters of the disks begin far behind the header. */
  public ImageBuilder hostOffsetsFrom(long hostOffset) {
    hostOffsetMin = hostOffset;
    return this;
  }

  public ImageBuilder refcountOrder(int order) {
    refcountOrder = order;
    return this;
  }

  public ImageBuilder extendedL2() {
    return incompatible(1L << 4);
  }

  /** Compressed clusters are zstd ones. */
  public ImageBuilder zstd() {
    zstd = true;
    return incompatible(1L << 3);
  }

  /** Clusters that follow each other on the disk do not always do so in the file. */
  public ImageBuilder scattered() {
    scattered = true;
    return this;
  }

  /** Sets bits of the incompatible features. */
  public ImageBuilder incompatible(long bits) {
    incompatible |= bits;
    return this;
  }

  public ImageBuilder compatible(long bits) {
    compatible |= bits;
    return this;
  }

  public ImageBuilder autoclear(long bits) {
    autoclear |= bits;
    return this;
  }

  /** Names a backing file; its format is recorded unless it is null. */
  public ImageBuilder backing(String name, @Nullable String format) {
    backingName = name;
    return format == null ? this : extension(EXTENSION_BACKING_FORMAT, format.getBytes(UTF_8));
  }

  /** Guest data goes to an external data file, see {@link TestImage#dataFile}. */
  public ImageBuilder dataFile(String name) {
    dataFile = new SparseBytes();
    return incompatible(1L << 2).extension(EXTENSION_DATA_FILE, name.getBytes(UTF_8));
  }

  /** A header extension, known or not. */
  public ImageBuilder extension(int type, byte[] data) {
    extensions.put(type, data);
    return this;
  }

  /** Names a feature bit; type 0 is incompatible, 1 compatible, 2 autoclear. */
  public ImageBuilder featureName(int type, int bit, String name) {
    byte[] padded = ByteBuffer.allocate(46).put(name.getBytes(UTF_8)).array();
    featureNames.write(type);
    featureNames.write(bit);
    featureNames.writeBytes(padded);
    return extension(EXTENSION_FEATURE_NAMES, featureNames.toByteArray());
  }

  public ImageBuilder bitmap(BitmapSpec spec) {
    bitmaps.add(spec);
    return autoclear(1).extension(EXTENSION_BITMAPS, new byte[24]);
  }

  /** The active disk, to be filled. */
  public DiskContents disk() {
    if (disk == null) {
      disk = contents(virtualSize);
    }
    return disk;
  }

  /** The disk of a new internal snapshot, to be filled. */
  public DiskContents snapshot(SnapshotSpec spec) {
    DiskContents contents = contents(spec.diskBytes());
    snapshots.add(new Snapshot(spec, contents));
    return contents;
  }

  /** A new internal snapshot that shares everything with the active disk. */
  public ImageBuilder sharedSnapshot(SnapshotSpec spec) {
    snapshots.add(new Snapshot(spec, null));
    return this;
  }

  private DiskContents contents(long bytes) {
    long l2Entries = (1L << clusterBits) / ((incompatible & (1L << 4)) != 0 ? 16 : 8);
    long perL1Entry = l2Entries << clusterBits;
    long l1Entries = (bytes + perL1Entry - 1) / perL1Entry;
    return new DiskContents(1 << clusterBits, bytes, l1Entries + l1EntriesMore);
  }

  /** The image. The builder may be changed and used again, for another one. */
  public TestImage build() {
    SparseBytes file = new SparseBytes();
    HostLayout layout = new HostLayout(file, 1 << clusterBits);
    layout.skipTo(hostOffsetMin);
    boolean extendedL2 = (incompatible & (1L << 4)) != 0;
    DiskWriter disks =
        new DiskWriter(file, layout, clusterBits, extendedL2, zstd, scattered, dataFile);
    long l1Table = disks.write(disk());
    List<Long> snapshotOffsets = writeSnapshots(file, layout, disks, l1Table);
    long bitmapDirectory = writeBitmaps(file, layout);
    HostLayout.RefcountTable refcounts = layout.writeRefcounts(refcountOrder);
    writeHeader(file, l1Table, refcounts, snapshotOffsets);
    return new TestImage(
        file,
        Optional.ofNullable(dataFile),
        clusterBits,
        extendedL2,
        l1Table,
        refcounts.hostOffset(),
        snapshotOffsets,
        bitmapDirectory,
        writeExtensions(file));
  }

  private List<Long> writeSnapshots(
      SparseBytes file, HostLayout layout, DiskWriter disks, long activeL1Table) {
    List<Long> offsets = new ArrayList<>();
    ByteArrayOutputStream table = new ByteArrayOutputStream();
    for (Snapshot snapshot : snapshots) {
      DiskContents own = snapshot.contents();
      long l1Entries = (own == null ? disk() : own).l1Entries();
      long l1Table = own == null ? disks.share(activeL1Table, l1Entries) : disks.write(own);
      offsets.add((long) table.size());
      table.writeBytes(snapshot.spec().encode(l1Table, l1Entries));
    }
    if (snapshots.isEmpty()) {
      return List.of();
    }
    long start = layout.allocateBytes(table.size());
    file.write(start, table.toByteArray());
    return offsets.stream().map(offset -> start + offset).toList();
  }

  private long writeBitmaps(SparseBytes file, HostLayout layout) {
    if (bitmaps.isEmpty()) {
      return 0;
    }
    ByteArrayOutputStream directory = new ByteArrayOutputStream();
    for (BitmapSpec spec : bitmaps) {
      long entries = spec.tableEntries(virtualSize, 1 << clusterBits);
      long table = layout.allocateBytes(entries * Long.BYTES);
      if (spec.stored()) {
        long bits = layout.allocate(1);
        file.putByte(bits, 1).putLong(table, bits);
      }
      directory.writeBytes(spec.encode(table, (int) entries));
    }
    long start = layout.allocateBytes(directory.size());
    file.write(start, directory.toByteArray());
    ByteBuffer extension = ByteBuffer.allocate(24).putInt(bitmaps.size()).putInt(0);
    extensions.put(EXTENSION_BITMAPS, extension.putLong(directory.size()).putLong(start).array());
    return start;
  }

  private void writeHeader(
      SparseBytes file, long l1Table, HostLayout.RefcountTable refcounts, List<Long> snapshots) {
    file.putInt(0, 0x514649fb).putInt(4, version).putInt(20, clusterBits);
    file.putLong(24, virtualSize).putInt(36, (int) disk().l1Entries()).putLong(40, l1Table);
    file.putLong(48, refcounts.hostOffset()).putInt(56, refcounts.clusters());
    file.putInt(60, snapshots.size());
    file.putLong(64, snapshots.isEmpty() ? 0 : snapshots.get(0));
    if (version >= 3) {
      file.putLong(72, incompatible).putLong(80, compatible).putLong(88, autoclear);
      file.putInt(96, refcountOrder).putInt(100, 112).putByte(104, zstd ? 1 : 0);
    }
  }

  /** Writes the extensions, then the backing file's name; where each extension's head lies. */
  private Map<Integer, Long> writeExtensions(SparseBytes file) {
    Map<Integer, Long> offsets = new LinkedHashMap<>();
    long at = version >= 3 ? 112 : 72;
    for (Map.Entry<Integer, byte[]> extension : extensions.entrySet()) {
      offsets.put(extension.getKey(), at);
      file.putInt(at, extension.getKey()).putInt(at + 4, extension.getValue().length);
      file.write(at + 8, extension.getValue());
      at += 8 + (extension.getValue().length + 7) / 8 * 8;
    }
    if (backingName != null) {
      byte[] name = backingName.getBytes(UTF_8);
      file.write(at + 8, name).putLong(8, at + 8).putInt(16, name.length);
    }
    return offsets;
  }
}
