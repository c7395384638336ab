package org.qcowfs.mapping;

import java.util.concurrent.locks.ReentrantLock;
import org.qcowfs.alloc.HeaderSector;
import org.qcowfs.alloc.HostSpace;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.cache.TableCache;
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
