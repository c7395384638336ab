package org.qcowfs.mapping;

import java.io.IOException;
import org.qcowfs.error.CorruptImageException;

/**
 * What happens when the metadata of an image turns out to be wrong while it is open for writing: it
 * is marked corrupt, durably and at once (rule R7), and nothing is written to it any more.
 *
 * <p>Thread rules: any number of threads, which do not hold the loader lock of a cache.
 */
final class CorruptionStop {
  private static final int EIO = 5;
  private static final String REMEDY = "unmount it, then repair it with qcowfs check -r all";

  private final WriteContext context;
  private volatile boolean marked;

  CorruptionStop(WriteContext context) {
    this.context = context;
  }

  /** Whether the image has been marked. */
  boolean isMarked() {
    return marked;
  }

  /**
   * To be told of everything malformed that a request has met, when it holds no lock any more.
   *
   * @return what the request fails with
   */
  IOException met(CorruptImageException found) {
    // What has a name already is another image's: a backing file is only read.
    if (!found.isOfMetadata() || found.isNamed()) {
      return found;
    }
    context.metadataLock().lock();
    try {
      if (context.clock().isStopped()) {
        return found;
      }
      // Where somebody has cut the file off, its header may be gone too.
      context.space().checkWhole();
      stop(found);
      context.clock().checkSound();
      return found;
    } catch (IOException stopped) {
      return stopped;
    } finally {
      context.metadataLock().unlock();
    }
  }

  private void stop(CorruptImageException found) {
    String reason = "%s: %s; ".formatted(context.image().name(), found.getMessage());
    context.clock().stop(EIO, reason + mark() + " and is no longer written to: " + REMEDY);
  }

  /** Marks the image; what became of that, in words. */
  private String mark() {
    if (context.version() < 3) {
      return "the image cannot be marked corrupt, as it has version 2,";
    }
    try {
      context.header().setCorruptLocked();
      if (context.clock().hasBarriers()) {
        context.image().flushToDisk();
      }
      marked = true;
      return "the image has been marked corrupt";
    } catch (IOException e) {
      return "the image could not be marked corrupt (%s),".formatted(e.getMessage());
    }
  }
}
