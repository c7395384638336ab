package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.qcowfs.alloc.ClusterCounts;
import org.qcowfs.alloc.HeaderSector;
import org.qcowfs.alloc.RefcountRebuild;
import org.qcowfs.alloc.RefcountReplacement;
import org.qcowfs.alloc.Refcounts;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.format.Features;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.storage.BlockStorage;

/**
 * Puts an image right, in rounds: walk it, repair what was found, walk it again. In each round the
 * order is that of every other change: refcounts that are too low are raised; copies are written;
 * then entries are replaced; and only when no pointer is wrong any more are refcounts lowered and
 * COPIED flags set. Each step is durable before the next one.
 *
 * <p>Nothing is written where any table points, but for the entry that is wrong itself. New
 * clusters are taken behind all that is named.
 *
 * <p>What survives a crash: an image that is no worse than before, with the dirty bit set where it
 * has one; the repair can be made again.
 *
 * <p>Thread rules: one thread, before anybody else uses the image.
 */
final class ImageRepair {
  private static final int TOLD_MAX = 100;
  private static final int ROUNDS_MAX = 2000;
  private static final long REFCOUNT_CACHE_BYTES = 8 << 20;

  private final BlockStorage storage;
  private final DurabilityClock clock;
  private final List<String> done = new ArrayList<>();
  private final L2Stream.Progress progress;
  private final CopyLimit copies;
  private long words;
  private long moves;
  private boolean marked;

  ImageRepair(BlockStorage storage, L2Stream.Progress progress) throws IOException {
    this.storage = storage;
    this.copies = new CopyLimit(storage);
    this.clock = new DurabilityClock(storage::flushToDisk);
    this.progress = progress;
  }

  private ImageWalk walk() throws IOException {
    return ImageWalk.of(ImageHead.read(storage), storage, progress);
  }

  /** Lowers refcounts that are too high, if it is certain that nothing refers to the clusters. */
  CheckReport repairLeaks() throws IOException {
    ImageWalk before = walk();
    if (before.findings().leaks() == 0) {
      return finished(before, before);
    }
    if (before.findings().hidesReferences()
        || before.findings().needs(Fix.Part.REFCOUNT_STRUCTURES)) {
      done.add("leaks are kept: what lies there may belong to a table that is damaged");
      return before.report().after(0, 0, done);
    }
    lower(before);
    return finished(before, walk());
  }

  private void lower(ImageWalk walk) throws IOException {
    mark(walk.header());
    ClusterCounts counts = walk.references().counts();
    long lowered = rebuild(walk.header(), counts).rebuildLocked(RefcountRebuild.Direction.LOWER);
    flush();
    done.add("%d refcounts lowered".formatted(lowered));
    long flags =
        new CopiedFlags(
                storage,
                walk.header(),
                counts,
                cluster -> counts.get(cluster) == 1 && walk.stored().get(cluster) > 1)
            .correct();
    if (flags > 0) {
      flush();
      done.add("%d COPIED flags corrected".formatted(flags));
    }
  }

  /** Repairs everything that can be repaired. */
  CheckReport repairAll() throws IOException {
    ImageWalk before = walk();
    ImageWalk now = before;
    before.findings().keptCorruptions().stream()
        .limit(TOLD_MAX)
        .forEach(finding -> done.add("found " + finding.text()));
    Set<String> seen = new HashSet<>();
    // A round that leaves what another one left makes no progress.
    while (!now.findings().isEmpty()
        && seen.size() < ROUNDS_MAX
        && seen.add(now.findings().repairDigest())) {
      if (now.findings().needs(Fix.Part.NONE) || (needsL1Length(now) && spareL1(now) <= 0)) {
        break;
      }
      boolean last = !repairPointers(now);
      if (last && now.findings().needs(Fix.Part.REFCOUNT_STRUCTURES)) {
        mark(now.header());
        replaceRefcounts(now, now.references().endCluster());
      } else if (last && now.findings().hidesReferences()) {
        // To give anything back by these counts could lose data.
        break;
      } else if (last && !setCounts(now)) {
        break;
      }
      now = walk();
    }
    if (!now.findings().isEmpty()) {
      done.add("not repaired any further: " + unrepairable(now));
    }
    if (words > 0) {
      done.add("%d table entries replaced".formatted(words));
    }
    if (moves > 0) {
      done.add("%d clusters or tables moved to a place of their own".formatted(moves));
    }
    return finished(before, now);
  }

  private static String unrepairable(ImageWalk walk) {
    List<Finding> found = walk.findings().keptCorruptions();
    return found.isEmpty() ? "it is damaged too badly" : found.get(0).text();
  }

  /** The L1 table cannot be where the header says; if that cannot be mended, nothing is known. */
  private static boolean needsL1Length(ImageWalk walk) {
    return walk.findings().needs(Fix.Part.L1_LENGTH);
  }

  /** Entries that the disk has no use for. */
  private static long spareL1(ImageWalk walk) {
    Header header = walk.header();
    long needed = header.geometry().l1EntriesFor(header.virtualSize());
    return needed == 0 ? 0 : header.l1Entries() - needed;
  }

  /** Returns whether pointers were wrong, and something was done about them. */
  private boolean repairPointers(ImageWalk walk) throws IOException {
    Header header = walk.header();
    if (walk.findings().hidesReferences() && spareL1(walk) > 0) {
      mark(header);
      int entries = header.l1Entries() - (int) spareL1(walk);
      sector(header).setL1TableLocked(header.l1TableOffset(), entries);
      flush();
      done.add("L1 table cut from %d entries to %d".formatted(header.l1Entries(), entries));
      return true;
    }
    if (walk.findings().needs(Fix.Part.SNAPSHOT_TABLE)) {
      // Before any entry is touched: what a lost snapshot seemed to name is not to be believed.
      mark(header);
      rewriteSnapshots(walk);
      return true;
    }
    RepairPlan plan = new RepairPlan(storage, walk, false);
    if (plan.isEmpty()) {
      plan = new RepairPlan(storage, walk, true);
    }
    if (plan.isEmpty()) {
      if (walk.findings().needs(Fix.Part.BITMAPS)) {
        mark(header);
        giveUpBitmaps(header);
        return true;
      }
      return false;
    }
    copies.take(plan.copiedBytes());
    mark(header);
    raise(walk, plan);
    plan.copy();
    flush();
    plan.switchOver();
    flush();
    words += plan.words();
    moves += plan.moves();
    return true;
  }

  /** Refcounts first, so that whatever is pointed to from now on is counted (R1). */
  private void raise(ImageWalk walk, RepairPlan plan) throws IOException {
    ClusterCounts counts = walk.references().counts();
    plan.count(counts);
    if (walk.findings().needs(Fix.Part.REFCOUNT_STRUCTURES)) {
      replaceRefcounts(walk, plan.end());
    } else {
      rebuild(walk.header(), counts).rebuildLocked(RefcountRebuild.Direction.RAISE);
    }
    flush();
  }

  private void replaceRefcounts(ImageWalk walk, long first) throws IOException {
    ClusterCounts counts = walk.references().counts();
    ClusterCounts own = walk.refcountClusters();
    for (long cluster = own.next(0); cluster >= 0; cluster = own.next(cluster + 1)) {
      counts.add(cluster, -own.get(cluster));
    }
    Header header = walk.header();
    new RefcountReplacement(storage, header.geometry(), header.refcountOrder(), counts, first)
        .writeLocked(sector(header), clock);
    done.add("refcount table and blocks written anew");
  }

  private RefcountRebuild rebuild(Header header, ClusterCounts counts) throws IOException {
    return new RefcountRebuild(
        storage,
        header.geometry(),
        new Refcounts(storage, header, REFCOUNT_CACHE_BYTES),
        sector(header),
        clock,
        counts);
  }

  private HeaderSector sector(Header header) throws IOException {
    return new HeaderSector(storage, header.version());
  }

  private void rewriteSnapshots(ImageWalk walk) throws IOException {
    Header header = walk.header();
    SnapshotTableRewrite table = new SnapshotTableRewrite(storage, header);
    ByteBuffer bytes = table.bytes();
    long first = walk.references().endCluster();
    long clusters = walk.references().wholeClusters(bytes.remaining()) >>> header.clusterBits();
    ClusterCounts counts = walk.references().counts();
    for (long cluster = first; cluster < first + clusters; cluster++) {
      counts.add(cluster, 1);
    }
    if (walk.findings().needs(Fix.Part.REFCOUNT_STRUCTURES)) {
      replaceRefcounts(walk, first + clusters);
    } else {
      rebuild(header, counts).rebuildLocked(RefcountRebuild.Direction.RAISE);
    }
    storage.write(bytes, first << header.clusterBits());
    flush();
    sector(header)
        .setSnapshotTableLocked(
            table.count() == 0 ? 0 : first << header.clusterBits(), table.count());
    flush();
    done.addAll(table.done());
    done.add("snapshot table written anew");
  }

  /** QEMU does not open an image with bitmaps that make no sense, so nobody may see them. */
  private void giveUpBitmaps(Header header) throws IOException {
    HeaderSector sector = sector(header);
    sector.keepAutoclearLocked(~Features.AUTOCLEAR_BITMAPS);
    flush();
    Optional<HeaderExtensions.Extension> extension = ImageHead.read(storage).extensions().bitmaps();
    if (extension.isPresent()) {
      long length = extension.get().data().remaining();
      sector.setWordLocked(
          (int) extension.get().hostOffset(),
          (long) HeaderExtensions.BITMAPS_GIVEN_UP << Integer.SIZE | length);
      flush();
    }
    done.add("persistent bitmaps given up, as they are damaged");
  }

  /** No pointer is wrong any more. Returns whether anything was wrong with counts or flags. */
  private boolean setCounts(ImageWalk walk) throws IOException {
    Header header = walk.header();
    mark(header);
    ClusterCounts counts = walk.references().counts();
    RefcountRebuild rebuild = rebuild(header, counts);
    rebuild.checkLocked();
    long refcounts = rebuild.rebuildLocked();
    flush();
    long flags = new CopiedFlags(storage, header, counts).correct();
    flush();
    if (refcounts > 0) {
      done.add("%d refcounts corrected".formatted(refcounts));
    }
    if (flags > 0) {
      done.add("%d COPIED flags corrected".formatted(flags));
    }
    return refcounts + flags > 0;
  }

  /** Before the first change: who finds the image after a crash must know (R7). */
  private void mark(Header header) throws IOException {
    if (marked) {
      return;
    }
    marked = true;
    HeaderSector sector = sector(header);
    long known = Features.AUTOCLEAR_BITMAPS | Features.AUTOCLEAR_DATA_FILE_RAW;
    if (header.version() >= 3) {
      if ((sector.autoclearLocked() & ~known) != 0) {
        sector.keepAutoclearLocked(known);
      }
      sector.setDirtyLocked(true);
      flush();
    }
  }

  private void flush() throws IOException {
    clock.flushToDisk();
  }

  /** An image without corruptions need not say any more that it has some. */
  private CheckReport finished(ImageWalk before, ImageWalk now) throws IOException {
    CheckReport report = now.report();
    Header header = ImageHead.read(storage).header();
    boolean told = header.dirty() || header.corrupt();
    if (report.corruptions() == 0 && told) {
      HeaderSector sector = sector(header);
      sector.clearCorruptLocked();
      flush();
      sector.setDirtyLocked(false);
      flush();
    }
    return report.after(
        Math.max(0, before.findings().corruptions() - report.corruptions()),
        Math.max(0, before.findings().leaks() - report.leaks()),
        done);
  }
}
