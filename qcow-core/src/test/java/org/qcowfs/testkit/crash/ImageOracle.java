package org.qcowfs.testkit.crash;

import com.google.errorprone.annotations.FormatMethod;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.qcowfs.testkit.storage.MemoryStorage;

/**
 * Judges an image without the engine: are all references counted, do the COPIED flags hold, does
 * every pointer lead into the file, what does each sector hold. Written from the specification
 * alone, for images of a few MiB.
 */
public final class ImageOracle {
  /** Is told what a sector holds. */
  @FunctionalInterface
  public interface SectorVisitor {
    /** The number that fills the sector, or {@link #MIXED}. */
    void sector(int sector, long stamp);
  }

  /** A sector that is not filled with one number. */
  public static final long MIXED = Long.MIN_VALUE;

  private static final int DIRTY = 1;
  private static final int SECTOR_BYTES = 512;

  private final HostFiles files;
  private final OracleImage image;
  private final List<Complaint> complaints = new ArrayList<>();
  private final int[] references;
  private int leaks;

  public ImageOracle(HostFiles files, long[] backing) {
    this.files = files;
    this.image = new OracleImage(files, backing);
    this.references = new int[Math.toIntExact(image.clustersInFile())];
  }

  /** Sectors of the active disk. */
  public long sectorCount() {
    return image.virtualSize() / SECTOR_BYTES;
  }

  /** Whether the image says of itself that its refcounts may be wrong. */
  public boolean isDirty() {
    return (image.incompatible() & DIRTY) != 0;
  }

  /** Clusters that are counted but not referred to; known after {@link #check}. */
  public int leaks() {
    return leaks;
  }

  /**
   * Checks structures and refcounts. Of an image that says that it is dirty, refcounts and COPIED
   * flags are not judged.
   */
  public List<Complaint> check() {
    refer(0, image.clusterBytes(), "header");
    referToRefcounts();
    referToTables(image.l1Offset(), image.l1Entries(), "active");
    for (OracleImage.Snapshot snapshot : image.snapshots()) {
      referToTables(snapshot.l1Offset(), snapshot.l1Entries(), "snapshot");
    }
    refer(image.snapshotsOffset(), image.snapshotTableBytes(), "snapshot table");
    if (!isDirty()) {
      compareRefcounts();
      checkCopied();
    }
    return complaints;
  }

  @FormatMethod
  private void complain(String text, Object... values) {
    complaints.add(new Complaint(Complaint.Kind.CORRUPT, text.formatted(values)));
  }

  private void refer(long hostOffset, long bytes, String what) {
    if (bytes == 0) {
      return;
    }
    long last = (hostOffset + bytes - 1) / image.clusterBytes();
    for (long cluster = hostOffset / image.clusterBytes(); cluster <= last; cluster++) {
      if (cluster >= references.length) {
        complain("%s names cluster %d, which lies behind the end of the file", what, cluster);
      } else {
        references[(int) cluster]++;
      }
    }
  }

  private boolean refersToCluster(long hostOffset, String what) {
    if (hostOffset % image.clusterBytes() != 0) {
      complain("%s names 0x%x, which is not aligned", what, hostOffset);
      return false;
    }
    int before = complaints.size();
    refer(hostOffset, image.clusterBytes(), what);
    return complaints.size() == before;
  }

  private void referToRefcounts() {
    long bytes = (long) image.refcountTableClusters() * image.clusterBytes();
    refer(image.refcountTableOffset(), bytes, "refcount table");
    for (long at = 0; at < bytes; at += Long.BYTES) {
      long block = image.word(image.refcountTableOffset() + at);
      if (block != 0) {
        refersToCluster(block, "refcount table");
      }
    }
  }

  private void referToTables(long l1Offset, int l1Entries, String what) {
    refer(l1Offset, (long) l1Entries * Long.BYTES, what + " L1 table");
    for (int i = 0; i < l1Entries; i++) {
      long table = image.word(l1Offset + (long) i * Long.BYTES) & OracleImage.OFFSET;
      if (table != 0 && refersToCluster(table, what + " L1 entry " + i)) {
        referToClusters(table, what);
      }
    }
  }

  private void referToClusters(long table, String what) {
    for (int i = 0; i < image.l2Entries(); i++) {
      long entry = image.l2Entry(table, i);
      if ((entry & OracleImage.COMPRESSED) != 0) {
        refer(
            image.compressedOffset(entry) & -SECTOR_BYTES,
            image.compressedBytes(entry),
            what + " compressed cluster");
      } else if ((entry & OracleImage.OFFSET) != 0 && !image.hasDataFile()) {
        refersToCluster(entry & OracleImage.OFFSET, what + " L2 entry");
      }
    }
  }

  private void compareRefcounts() {
    for (int cluster = 0; cluster < references.length; cluster++) {
      long refcount = image.refcount(cluster);
      if (refcount < references[cluster]) {
        complain(
            "cluster %d is referred to %d times, its refcount is %d",
            cluster, references[cluster], refcount);
      } else if (refcount > references[cluster]) {
        leaks++;
      }
    }
  }

  private void checkCopied() {
    for (int i = 0; i < image.l1Entries(); i++) {
      long entry = image.word(image.l1Offset() + (long) i * Long.BYTES);
      long table = entry & OracleImage.OFFSET;
      if (table != 0) {
        checkCopied(entry, table, "L1 entry " + i);
        for (int j = 0; complaints.isEmpty() && j < image.l2Entries(); j++) {
          long l2Entry = image.l2Entry(table, j);
          if ((l2Entry & OracleImage.COMPRESSED) == 0
              && (l2Entry & OracleImage.OFFSET) != 0
              && !image.hasDataFile()) {
            checkCopied(l2Entry, l2Entry & OracleImage.OFFSET, "L2 entry " + i + "/" + j);
          }
        }
      }
    }
  }

  private void checkCopied(long entry, long hostOffset, String what) {
    long refcount = image.refcount(hostOffset / image.clusterBytes());
    if ((entry < 0) != (refcount == 1)) {
      complain("%s has COPIED %b at a refcount of %d", what, entry < 0, refcount);
    }
  }

  /** Shows every sector of the active disk. The image must have passed {@link #check}. */
  public void visitDisk(SectorVisitor visitor) {
    visit(image.l1Offset(), image.l1Entries(), image.virtualSize(), visitor);
  }

  /** Shows every sector of each internal snapshot. */
  public void visitSnapshots(SectorVisitor visitor) {
    for (OracleImage.Snapshot snapshot : image.snapshots()) {
      visit(snapshot.l1Offset(), snapshot.l1Entries(), snapshot.diskBytes(), visitor);
    }
  }

  private void visit(long l1Offset, int l1Entries, long diskBytes, SectorVisitor visitor) {
    int clusterSectors = image.clusterBytes() / SECTOR_BYTES;
    long sectors = diskBytes / SECTOR_BYTES;
    byte[] cluster = new byte[image.clusterBytes()];
    ByteBuffer words = ByteBuffer.wrap(cluster);
    for (long first = 0; first < sectors; first += clusterSectors) {
      image.readCluster(l1Offset, l1Entries, first / clusterSectors, cluster);
      for (int i = 0; i < Math.min(clusterSectors, sectors - first); i++) {
        visitor.sector((int) first + i, stampOf(words, i * SECTOR_BYTES));
      }
    }
  }

  private static long stampOf(ByteBuffer cluster, int from) {
    long stamp = cluster.getLong(from);
    for (int at = from + Long.BYTES; at < from + SECTOR_BYTES; at += Long.BYTES) {
      if (cluster.getLong(at) != stamp) {
        return MIXED;
      }
    }
    return stamp;
  }

  /** The image file, for messages and for other judges. */
  public MemoryStorage file() {
    return files.image();
  }
}
