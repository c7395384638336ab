package org.qcowfs.mapping;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.cache.ClusterCache;
import org.qcowfs.cache.TableCache;
import org.qcowfs.compress.ClusterDecompressor;
import org.qcowfs.compress.DeflateDecompressor;
import org.qcowfs.compress.ZstdDecompressor;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.Header;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * What one qcow2 file stores of a disk, seen through one of its L1 tables.
 *
 * <p>Thread rules: any number of threads; reads share no lock but those of {@link
 * CompressedClusters}.
 */
public final class Qcow2Layer {
  /**
   * What the layers of a backing chain share.
   *
   * @param tables slices of L2 tables
   * @param clusters decompressed clusters
   */
  public record Caches(TableCache tables, ClusterCache clusters) {}

  /**
   * The files of one image.
   *
   * @param image the qcow2 file
   * @param guestData the external data file, or else the same file
   * @param index which image of the chain this is; 0 is the topmost
   */
  public record Files(BlockStorage image, BlockStorage guestData, int index) {}

  private final BlockStorage guestData;
  private final ClusterGeometry geometry;
  private final ClusterMap map;
  private final CompressedClusters compressed;
  private final BackingSource backing;

  /**
   * Answers of lookups. A read of this layer is in another read of it nowhere, only in those of
   * layers above it, so one for each thread will do.
   */
  private final ThreadLocal<MappedRun> runs = ThreadLocal.withInitial(MappedRun::new);

  /**
   * @param l1Table the L1 table that the disk is seen through
   */
  public Qcow2Layer(
      Files files, Header header, L1Table l1Table, Caches caches, BackingSource backing) {
    this.guestData = files.guestData();
    this.geometry = header.geometry();
    this.backing = backing;
    this.map =
        new ClusterMap(
            files.image(),
            files.index(),
            caches.tables(),
            geometry,
            l1Table,
            header.version(),
            header.hasDataFile());
    ClusterDecompressor decompressor =
        header.compressionType() == Header.COMPRESSION_ZSTD
            ? new ZstdDecompressor()
            : new DeflateDecompressor();
    this.compressed =
        new CompressedClusters(
            files.image(), files.index(), geometry, decompressor, caches.clusters());
  }

  /**
   * Looks up how the bytes from the guest offset on are stored in this file.
   *
   * @param maxLength at least 1; the run is never longer
   * @param run receives the answer; it may be shorter than it could be
   */
  public void lookup(long guestOffset, long maxLength, MappedRun run) throws IOException {
    map.lookup(guestOffset, maxLength, run);
  }

  /** Fills the destination; what this file does not allocate comes from the backing source. */
  public void read(ByteBuffer destination, long guestOffset) throws IOException {
    MappedRun run = runs.get();
    int limit = destination.limit();
    long offset = guestOffset;
    while (destination.hasRemaining()) {
      map.lookup(offset, destination.remaining(), run);
      if (isWholeCompressedCluster(run) && destination.isDirect()) {
        offset = readCompressed(destination, offset, run);
        continue;
      }
      offset += run.length();
      destination.limit(destination.position() + (int) run.length());
      readRun(run, offset - run.length(), destination);
      destination.limit(limit);
    }
  }

  private boolean isWholeCompressedCluster(MappedRun run) {
    return run.kind() == MappedRun.Kind.COMPRESSED && run.length() == geometry.clusterBytes();
  }

  /**
   * Reads the clusters that follow each other and are compressed and wanted whole.
   *
   * @param run the answer for the first of them
   * @return guest offset behind the last of them
   */
  private long readCompressed(ByteBuffer destination, long guestOffset, MappedRun run)
      throws IOException {
    int clusterBytes = geometry.clusterBytes();
    int wanted = destination.remaining();
    long[] entries = new long[wanted / clusterBytes];
    int count = 0;
    do {
      entries[count++] = run.compressedEntry;
      int left = wanted - count * clusterBytes;
      if (left < clusterBytes) {
        break;
      }
      map.lookup(guestOffset + (long) count * clusterBytes, left, run);
    } while (isWholeCompressedCluster(run));
    compressed.readWhole(entries, count, destination);
    return guestOffset + (long) count * clusterBytes;
  }

  private void readRun(MappedRun run, long guestOffset, ByteBuffer destination) throws IOException {
    switch (run.kind()) {
      case DATA -> readData(run.hostOffset(), destination);
      case COMPRESSED ->
          compressed.read(run.compressedEntry, geometry.offsetInCluster(guestOffset), destination);
      case ZERO, ZERO_PREALLOCATED -> Zeros.fill(destination);
      case UNALLOCATED, UNALLOCATED_IN_CLUSTER -> backing.read(destination, guestOffset);
    }
  }

  /**
   * Reads data clusters. The file may end within a cluster: what was never written of its last one
   * is zeros. A cluster that lies past the end as a whole has been lost.
   */
  private void readData(long hostOffset, ByteBuffer destination) throws IOException {
    int wanted = destination.remaining();
    if (guestData.read(destination, hostOffset) == wanted) {
      return;
    }
    long lastCluster = geometry.clusterStart(hostOffset + wanted - 1);
    if (lastCluster >= guestData.size()) {
      throw new CorruptImageException(
          "Data cluster",
          lastCluster,
          "lies past the end of %s (%d bytes)".formatted(guestData.name(), guestData.size()));
    }
    Zeros.fill(destination);
  }
}
