package org.qcowfs.check;

import java.io.IOException;
import org.qcowfs.alloc.HeaderSector;
import org.qcowfs.alloc.HostSpace;
import org.qcowfs.alloc.Refcounts;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.format.Header;
import org.qcowfs.storage.BlockStorage;

/**
 * Makes an image whose dirty bit is set fit to be written to: its refcounts are counted anew from
 * its tables (section "Header", incompatible feature bit 0).
 *
 * <p>What survives a crash: the dirty bit is cleared last, when everything else is durable; so a
 * repair that was cut short is simply made again.
 *
 * <p>Thread rules: one thread, before anybody else uses the image.
 */
public final class DirtyImageRepair {
  private static final long REFCOUNT_CACHE_BYTES = 8 << 20;

  private final BlockStorage storage;
  private final Header header;

  public DirtyImageRepair(BlockStorage storage, Header header) {
    this.storage = storage;
    this.header = header;
  }

  /**
   * Counts and sets the refcounts, then clears the dirty bit. The image has neither snapshots nor
   * bitmaps.
   *
   * @return how many refcounts were wrong
   */
  public long repair() throws IOException {
    ReferenceCounter references = new ReferenceCounter(storage, header);
    references.addHeaderAndRefcounts();
    references.addTables(header.l1TableOffset(), header.l1Entries());
    DurabilityClock clock = new DurabilityClock(storage::flushToDisk);
    HeaderSector sector = new HeaderSector(storage, header.version());
    Refcounts refcounts = new Refcounts(storage, header, REFCOUNT_CACHE_BYTES);
    HostSpace space = new HostSpace(storage, header.geometry(), refcounts, sector, clock);
    // Nobody else knows the image yet, so there is no metadata lock to hold.
    long wrong = space.recountLocked(references.endCluster(), references::count);
    clock.flushToDisk();
    sector.setDirtyLocked(false);
    clock.flushToDisk();
    return wrong;
  }
}
