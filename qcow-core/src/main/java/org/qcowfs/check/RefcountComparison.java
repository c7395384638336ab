package org.qcowfs.check;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.qcowfs.format.Header;
import org.qcowfs.format.L2Entry;
import org.qcowfs.storage.BlockStorage;

/**
 * Compares the refcounts that an image holds with those that were counted. Neighbours that are
 * wrong in the same way are one finding.
 *
 * <p>Thread rules: used by one thread.
 */
final class RefcountComparison {
  private static final int USERS_LOOKED_UP = 100;

  private final BlockStorage storage;
  private final Header header;
  private final ReferenceCounter references;
  private final StoredRefcounts stored;
  private final Findings findings;
  private final long maxRefcount;
  private final Map<Long, String> users = new HashMap<>();
  private long runStart = -1;
  private long runEnd;
  private long runStored;
  private long runCounted;
  private long highestCluster;

  RefcountComparison(
      BlockStorage storage,
      Header header,
      ReferenceCounter references,
      StoredRefcounts stored,
      Findings findings) {
    this.storage = storage;
    this.header = header;
    this.references = references;
    this.stored = stored;
    this.findings = findings;
    this.maxRefcount =
        header.refcountOrder() == 6 ? Long.MAX_VALUE : (1L << header.refcountBits()) - 1;
  }

  /** Adds a finding for each refcount that is wrong. */
  void compare() throws IOException {
    findUsers();
    long end = Math.max(references.endCluster(), references.misaligned().end());
    for (long cluster = next(0); cluster >= 0 && cluster < end; cluster = next(cluster + 1)) {
      compare(cluster);
    }
    endRun();
    highestCluster =
        Math.max(
            0,
            Math.max(
                Math.max(references.counts().end(), references.misaligned().end()) - 1,
                stored.last(end)));
  }

  /** The next cluster whose refcounts may differ. */
  private long next(long from) {
    return nextOf(stored.mismatch(references.counts(), from), references.misaligned().next(from));
  }

  private static long nextOf(long some, long others) {
    return some < 0 ? others : others < 0 ? some : Math.min(some, others);
  }

  private void compare(long cluster) {
    long counted = references.count(cluster) + references.misaligned().get(cluster);
    if (counted > maxRefcount) {
      findings.found(
          Defect.harmless(
              Finding.corruption(
                      "Cluster",
                      cluster << header.clusterBits(),
                      "referred to %d times, more than its refcount can say".formatted(counted),
                      "writing to one of its users changes the others")
                  .times(counted - maxRefcount),
              Fix.Part.COUNTS));
      counted = maxRefcount;
    }
    long held = stored.get(cluster);
    if (held == counted) {
      return;
    }
    boolean follows = cluster == runEnd && held == runStored && counted == runCounted;
    if (runStart < 0 || !follows || users.containsKey(cluster)) {
      endRun();
      runStart = cluster;
      runStored = held;
      runCounted = counted;
    }
    runEnd = cluster + 1;
  }

  private void endRun() {
    if (runStart < 0) {
      return;
    }
    long count = runEnd - runStart;
    boolean leak = runStored > runCounted;
    Finding.Kind kind = leak ? Finding.Kind.LEAK : Finding.Kind.CORRUPTION;
    // Garbage that is taken for a refcount block has tens of thousands of wrong ones.
    boolean read = findings.keeps(kind);
    Finding finding =
        new Finding(
            kind,
            "Cluster",
            Finding.NONE,
            runStart << header.clusterBits(),
            Finding.NONE,
            read ? problemOfRun(count) : "",
            read ? consequenceOfRun(leak) : "",
            count);
    findings.found(Defect.harmless(finding, Fix.Part.COUNTS));
    runStart = -1;
  }

  private String problemOfRun(long count) {
    return "%srefcount %d, %s"
        .formatted(
            count == 1 ? "" : "%d clusters: ".formatted(count),
            runStored,
            runCounted == 0 ? "but nothing refers to it" : runCounted + " references");
  }

  private String consequenceOfRun(boolean leak) {
    if (leak) {
      return "space is taken that nothing uses";
    }
    String known = users.getOrDefault(runStart, "");
    return "new data could overwrite it" + (known.isEmpty() ? "" : ": " + known);
  }

  /** Who refers to the first clusters whose refcounts are too low. */
  private void findUsers() throws IOException {
    long end = references.endCluster();
    for (long cluster = stored.mismatch(references.counts(), 0);
        cluster >= 0 && cluster < end && users.size() < USERS_LOOKED_UP;
        cluster = stored.mismatch(references.counts(), cluster + 1)) {
      if (stored.get(cluster) < Math.min(maxRefcount, references.count(cluster))) {
        users.put(cluster, ownName(cluster));
      }
    }
    if (users.isEmpty()) {
      return;
    }
    L2Places places = new L2Places(references, header.geometry());
    try (L2Stream stream = new L2Stream(storage, header.geometry())) {
      stream.visit(
          references.l2Tables(),
          (table, index, entry, bitmap) -> addUser(places, table, index, entry),
          L2Stream.Progress.SILENT);
    }
  }

  private String ownName(long cluster) {
    String name =
        references.structures().contains(cluster) ? references.structures().nameOf(cluster) : "";
    return references.l2Tables().get(cluster) != 0 ? join(name, "L2 table") : name;
  }

  private static String join(String some, String more) {
    return some.isEmpty() ? more : some + ", " + more;
  }

  private void addUser(L2Places places, long table, int index, long entry) throws IOException {
    int bits = header.clusterBits();
    boolean compressed = L2Entry.isCompressed(entry);
    long first = compressed ? L2Entry.compressedOffset(entry, bits) : L2Entry.hostOffset(entry);
    if (header.hasDataFile() || (first == 0 && !compressed)) {
      return;
    }
    long last = first + (compressed ? L2Entry.compressedBytes(entry, bits) : 1) - 1;
    for (long cluster = first >>> bits; cluster <= last >>> bits; cluster++) {
      String known = users.get(cluster);
      if (known != null && known.length() < 100) {
        Finding place = places.finding(table, index, "", "");
        String where =
            place.guestOffset() == Finding.NONE
                ? "data"
                : "guest offset 0x%x%s"
                    .formatted(
                        place.guestOffset(), place.structure().substring("L2 table".length()));
        users.put(cluster, join(known, where));
      }
    }
  }

  /** The last cluster that is referred to or counted. */
  long highestCluster() {
    return highestCluster;
  }
}
