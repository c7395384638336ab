package org.qcowfs.check;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.qcowfs.geometry.ClusterGeometry;

/**
 * Compares COPIED flags with refcounts: the flag must say whether the refcount is one. A strict
 * count, which knows no refcounts, leaves them unchecked.
 *
 * <p>Thread rules: used by one thread.
 */
final class CopiedChecks {
  private final Defect.Listener listener;
  private final @Nullable StoredRefcounts stored;
  private final ClusterGeometry geometry;

  CopiedChecks(
      Defect.Listener listener, @Nullable StoredRefcounts stored, ClusterGeometry geometry) {
    this.listener = listener;
    this.stored = stored;
    this.geometry = geometry;
  }

  /** Makes a finding, for those who want to read it. */
  @FunctionalInterface
  interface FindingSource {
    Finding of(String problem, String consequence) throws IOException;
  }

  /** Checks the flag of an entry, which counts for so many errors. */
  void check(FindingSource source, boolean copied, long hostOffset, long errors)
      throws IOException {
    long refcount =
        stored == null
            ? StoredRefcounts.UNKNOWN
            : stored.lookUp(hostOffset >>> geometry.clusterBits());
    if (refcount != StoredRefcounts.UNKNOWN) {
      check(source, copied, hostOffset, errors, refcount);
    }
  }

  /** As {@link #check(FindingSource, boolean, long, long)}, where the refcount is known. */
  void check(FindingSource source, boolean copied, long hostOffset, long errors, long refcount)
      throws IOException {
    if (errors == 0 || (refcount == 1) == copied) {
      return;
    }
    if (!listener.wantsText()) {
      listener.more(errors);
      return;
    }
    String problem =
        "COPIED is %s, but the refcount of host offset 0x%x is %d"
            .formatted(copied ? "set" : "clear", hostOffset, refcount);
    String consequence =
        copied ? "a write could change a snapshot or other data" : "each write copies needlessly";
    Finding finding = source.of(problem, consequence).times(errors);
    listener.found(Defect.harmless(finding, Fix.Part.COUNTS));
  }

  /** Whether a flag is right for each cluster of a range, as far as is quickly told. */
  boolean isRight(boolean copied, long first, long clusters) {
    if (stored == null) {
      return true;
    }
    long refcount = stored.get(first);
    return copied == (refcount == 1) && stored.isEach(first, clusters, refcount);
  }
}
