package org.qcowfs.check;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.qcowfs.alloc.MetadataClusters.Kind;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.format.BitmapDirectory;
import org.qcowfs.format.Features;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.format.Limits;
import org.qcowfs.mapping.ActiveDisk.Structure;
import org.qcowfs.storage.BlockStorage;

/**
 * The structures that internal snapshots and persistent bitmaps have in an image file: what a write
 * to the active disk must leave alone, beside the disk's own tables.
 */
public final class NamedStructures {
  private NamedStructures() {}

  /**
   * Reads the lists of snapshots and bitmaps, and none of the tables that they name. Where the
   * tables lie is for the caller to judge.
   *
   * @throws ReadOnlyImageException when the snapshot table cannot be read as a whole
   */
  public static List<Structure> read(
      BlockStorage storage, Header header, HeaderExtensions extensions) throws IOException {
    List<Structure> found = new ArrayList<>();
    if (header.snapshotCount() > 0) {
      addSnapshots(storage, header, found);
    }
    if (extensions.bitmaps().isPresent()
        && (header.autoclearFeatures() & Features.AUTOCLEAR_BITMAPS) != 0) {
      found.addAll(ofBitmaps(storage, header, extensions.bitmaps().get()));
    }
    return found;
  }

  private static void addSnapshots(BlockStorage storage, Header header, List<Structure> found)
      throws IOException {
    SnapshotScan scan = SnapshotScan.read(storage, header);
    if (scan.lost() > 0) {
      throw refusal(
          header,
          "ends past the end of the file or of the largest possible table; %d snapshots are lost"
              .formatted(scan.lost()));
    }
    found.add(new Structure(Kind.SNAPSHOT_TABLE, header.snapshotTableOffset(), scan.bytes()));
    for (SnapshotScan.Entry entry : scan.entries()) {
      if (entry.l1Bytes() > Limits.L1_TABLE_BYTES) {
        throw refusal(
            header,
            "entry %d: L1 table has %d entries, more than the limit of 4194304"
                .formatted(entry.index(), entry.l1Entries()));
      }
      found.add(new Structure(Kind.SNAPSHOT_L1_TABLE, entry.l1TableOffset(), entry.l1Bytes()));
    }
  }

  private static ReadOnlyImageException refusal(Header header, String problem) {
    return new ReadOnlyImageException(
        ("Snapshot table at host offset 0x%x: %s; a write could destroy data, so mount it with ro,"
                + " or repair it with qcowfs check -r all")
            .formatted(header.snapshotTableOffset(), problem));
  }

  /** A directory that cannot be read protects no table; refcounts still do. */
  private static List<Structure> ofBitmaps(
      BlockStorage storage, Header header, HeaderExtensions.Extension extension)
      throws IOException {
    try {
      BitmapDirectory directory = BitmapDirectory.decode(extension, header.geometry());
      ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(directory.bytes(), storage.size()));
      storage.readFully(bytes, directory.hostOffset());
      List<Structure> found = new ArrayList<>();
      found.add(new Structure(Kind.BITMAP_DIRECTORY, directory.hostOffset(), directory.bytes()));
      for (BitmapDirectory.Entry entry : directory.decodeEntries(bytes.flip())) {
        found.add(
            new Structure(
                Kind.BITMAP_TABLE, entry.tableOffset(), entry.tableEntries() * Long.BYTES));
      }
      return found;
    } catch (CorruptImageException | EOFException unreadable) {
      return List.of();
    }
  }
}
