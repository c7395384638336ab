package org.qcowfs.check;

import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.qcowfs.alloc.HeaderSector;
import org.qcowfs.alloc.LeakRecord;
import org.qcowfs.alloc.LeakReturn;
import org.qcowfs.alloc.Refcounts;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.format.Features;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.format.LeakRange;
import org.qcowfs.storage.BlockStorage;

/**
 * Gives back what a crash has leaked, where the image notes in which part of its file that can be.
 * The note is only a hint: every table is read, and a refcount is lowered only as far as nothing
 * refers to the cluster. So it does not matter who has written to the image since.
 *
 * <p>What survives a crash: leaks that were given back, and the note until all are.
 *
 * <p>Thread rules: one thread, before anybody else uses the image. The dirty bit is clear.
 */
public final class LeakRecovery {
  private static final long REFCOUNT_CACHE_BYTES = 8 << 20;

  private final BlockStorage storage;
  private final Header header;
  private final HeaderExtensions extensions;
  private @Nullable ReferenceCounter active;

  public LeakRecovery(BlockStorage storage, Header header, HeaderExtensions extensions) {
    this.storage = storage;
    this.header = header;
    this.extensions = extensions;
  }

  /**
   * Gives leaks back and empties the note.
   *
   * @return how many references were given back; none where the image has no note, or has parts
   *     that this version does not understand or that are malformed: what refers to what is not
   *     certain then
   */
  public long recover() throws IOException {
    Optional<HeaderExtensions.Extension> note = extensions.leakRange();
    if (note.isEmpty() || LeakRange.decode(note.get().data().getLong(0)).isEmpty()) {
      return 0;
    }
    boolean bitmapsGivenUp =
        extensions.bitmaps().isPresent()
            && (header.autoclearFeatures() & Features.AUTOCLEAR_BITMAPS) == 0;
    if (extensions.hasUnknown() || bitmapsGivenUp) {
      return 0;
    }
    try {
      return recover(note.get());
    } catch (Qcow2Exception e) {
      // Malformed: the leaks stay, as does the note, until a check has repaired the image.
      return 0;
    }
  }

  private long recover(HeaderExtensions.Extension note) throws IOException {
    ReferenceCounter all = ReferenceCounter.ofWholeImage(storage, header, extensions);
    Refcounts refcounts = new Refcounts(storage, header, REFCOUNT_CACHE_BYTES);
    DurabilityClock clock = new DurabilityClock(storage::flushToDisk);
    LeakRange range = LeakRange.decode(note.data().getLong(0));
    // Nobody else knows the image yet, so there is no metadata lock to hold.
    long returned =
        new LeakReturn(storage, header.geometry(), refcounts, clock)
            .returnLocked(
                range.startOffset(),
                range.endOffset(),
                (cluster, refcount) -> lowest(cluster, refcount, all.count(cluster)));
    LeakRecord record =
        new LeakRecord(storage, header, new HeaderSector(storage, header.version()), clock);
    record.adoptLocked(note);
    record.clearLocked();
    return returned;
  }

  /**
   * A refcount of one would need the COPIED flag in the table that refers to the cluster: where
   * that is one of the active disk, the leak stays.
   */
  private long lowest(long cluster, long refcount, long references) throws IOException {
    boolean needsFlag =
        references == 1 && refcount != 1 && active().countWithCopiedFlag(cluster) == 1;
    return needsFlag ? refcount : references;
  }

  /** What the active disk refers to; counted when it is first asked for, which is seldom. */
  private ReferenceCounter active() throws IOException {
    if (active == null) {
      active = new ReferenceCounter(storage, header);
      active.addTables(header.l1TableOffset(), header.l1Entries());
    }
    return active;
  }
}
