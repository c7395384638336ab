package org.qcowfs.mapping;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.qcowfs.alloc.HeaderSector;
import org.qcowfs.alloc.HostSpace;
import org.qcowfs.alloc.LeakRecord;
import org.qcowfs.alloc.Refcounts;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.cache.TableCache;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.format.Header;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.storage.BlockStorage;

/**
 * What the parts that change an image share.
 *
 * @param image the qcow2 file
 * @param guestData the external data file, or else the same file
 * @param metadataLock guards every change of tables, refcounts and header; never held during I/O of
 *     guest data
 * @param version of the image: version 2 has no zero clusters
 * @param dataFile whether guest data lies in an external data file
 * @param dataFileRaw whether that file must be the disk, byte for byte
 */
record WriteContext(
    BlockStorage image,
    BlockStorage guestData,
    ClusterGeometry geometry,
    int version,
    boolean dataFile,
    boolean dataFileRaw,
    ReentrantLock metadataLock,
    L1Table l1Table,
    TableCache l2Cache,
    HeaderSector header,
    HostSpace space,
    DurabilityClock clock,
    FreedClusters freed,
    L2Update l2,
    ClusterClaims claims,
    RequestGate gate) {
  /**
   * What changes the image of these files.
   *
   * @param others structures that neither the header nor the refcount table nor the active L1 table
   *     names
   * @throws ReadOnlyImageException when structures overlap each other, or lie past the end of the
   *     file, so that a write could destroy one
   */
  static WriteContext open(
      Qcow2Layer.Files files,
      Header header,
      L1Table l1Table,
      Qcow2Layer.Caches caches,
      WriteSettings settings,
      List<ActiveDisk.Structure> others)
      throws IOException {
    ClusterGeometry geometry = header.geometry();
    DurabilityClock clock =
        new DurabilityClock(
            () -> {
              if (files.guestData() != files.image()) {
                files.guestData().flushToDisk();
              }
              files.image().flushToDisk();
            });
    HeaderSector sector = new HeaderSector(files.image(), header.version());
    Refcounts refcounts;
    try {
      refcounts = new Refcounts(files.image(), header, settings.refcountCacheBytes());
      MetadataClaims.enter(files.image(), header, l1Table, refcounts, others);
    } catch (CorruptImageException e) {
      throw new ReadOnlyImageException(
          e.getMessage()
              + "; a write could destroy data, so mount it with ro, or repair it with qcowfs check"
              + " -r all");
    }
    LeakRecord leaks = new LeakRecord(files.image(), header, sector, clock);
    HostSpace space =
        new HostSpace(
            files.image(), geometry, refcounts, sector, clock, leaks, settings.reserveBytes());
    FreedClusters freed = new FreedClusters();
    L2Update l2 =
        new L2Update(files.image(), geometry, l1Table, caches.tables(), space, clock, freed);
    return new WriteContext(
        files.image(),
        files.guestData(),
        geometry,
        header.version(),
        header.hasDataFile(),
        header.dataFileRaw(),
        new ReentrantLock(),
        l1Table,
        caches.tables(),
        sector,
        space,
        clock,
        freed,
        l2,
        new ClusterClaims(),
        new RequestGate());
  }

  /** Where the next L2 slice begins: one change of mappings stays within a slice. */
  long sliceEnd(long guestOffset) {
    int entriesPerSlice =
        Math.min(geometry.clusterBytes(), TableCache.SLICE_BYTES)
            / Long.BYTES
            / geometry.l2EntryWords();
    long sliceBytes = (long) entriesPerSlice << geometry.clusterBits();
    return (guestOffset & -sliceBytes) + sliceBytes;
  }
}
