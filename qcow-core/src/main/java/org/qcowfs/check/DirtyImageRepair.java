package org.qcowfs.check;

import java.io.IOException;
import org.qcowfs.alloc.HeaderSector;
import org.qcowfs.alloc.RefcountRebuild;
import org.qcowfs.alloc.Refcounts;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.storage.BlockStorage;

/**
 * Makes an image whose dirty bit is set fit to be written to (section "Header", incompatible
 * feature bit 0): its refcounts are counted anew from every table of the active disk, of the
 * internal snapshots and of the bitmaps, and the COPIED flags of the active disk follow them. Guest
 * data, snapshots and bitmaps stay as they are.
 *
 * <p>What survives a crash: the dirty bit is cleared last, when everything else is durable; so a
 * repair that was cut short is simply made again. No cluster that any table names is written to,
 * but for refcounts and flags.
 *
 * <p>Thread rules: one thread, before anybody else uses the image.
 */
public final class DirtyImageRepair {
  private static final long REFCOUNT_CACHE_BYTES = 8 << 20;

  /** What a repair changed. */
  public record Outcome(long wrongRefcounts, long wrongFlags) {}

  private final BlockStorage storage;
  private final Header header;
  private final HeaderExtensions extensions;

  public DirtyImageRepair(BlockStorage storage, Header header, HeaderExtensions extensions) {
    this.storage = storage;
    this.header = header;
    this.extensions = extensions;
  }

  /**
   * Counts and sets the refcounts, then clears the dirty bit.
   *
   * @throws ReadOnlyImageException when something is malformed, so that counting could do harm; the
   *     file has not been changed then
   */
  public Outcome repair() throws IOException {
    DurabilityClock clock = new DurabilityClock(storage::flushToDisk);
    HeaderSector sector = new HeaderSector(storage, header.version());
    // Nobody else knows the image yet, so there is no metadata lock to hold.
    ReferenceCounter references;
    RefcountRebuild rebuild;
    try {
      references = ReferenceCounter.ofWholeImage(storage, header, extensions);
      rebuild =
          new RefcountRebuild(
              storage,
              header.geometry(),
              new Refcounts(storage, header, REFCOUNT_CACHE_BYTES),
              sector,
              clock,
              references.counts());
      rebuild.checkLocked();
    } catch (CorruptImageException | UnsupportedFeatureException e) {
      throw new ReadOnlyImageException(
          "the image was not closed cleanly (dirty bit), and its refcounts cannot be counted anew: "
              + e.getMessage()
              + "; mount it with ro, or repair it with qcowfs check -r all");
    }
    long wrongRefcounts = rebuild.rebuildLocked();
    long wrongFlags = new CopiedFlags(storage, header, references.counts()).correct();
    clock.flushToDisk();
    sector.setDirtyLocked(false);
    clock.flushToDisk();
    return new Outcome(wrongRefcounts, wrongFlags);
  }
}
