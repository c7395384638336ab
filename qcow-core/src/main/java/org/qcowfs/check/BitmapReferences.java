package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.BitmapDirectory;
import org.qcowfs.format.Features;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.storage.BlockStorage;

/**
 * Counts what the persistent bitmaps of an image refer to: directory, tables, data. Bitmaps that
 * were in use count like any other; those whose autoclear bit is clear are no longer valid, and do
 * not count.
 */
final class BitmapReferences {
  private static final String TABLE = "Bitmap table";
  private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;

  private final ReferenceCounter references;
  private final Header header;
  private final List<BitmapDirectory.Entry> entries;

  /** Reads the directory, and counts it and the tables that it names. */
  BitmapReferences(
      ReferenceCounter references, BlockStorage storage, Header header, HeaderExtensions extensions)
      throws IOException {
    this.references = references;
    this.header = header;
    Optional<HeaderExtensions.Extension> extension = extensions.bitmaps();
    if (extension.isEmpty() || (header.autoclearFeatures() & Features.AUTOCLEAR_BITMAPS) == 0) {
      this.entries = List.of();
      return;
    }
    BitmapDirectory directory = BitmapDirectory.decode(extension.get(), header.geometry());
    references.addStructure("Bitmap directory", directory.hostOffset(), directory.bytes());
    ByteBuffer bytes = ByteBuffer.allocate(directory.bytes());
    storage.readFully(bytes, directory.hostOffset());
    this.entries = directory.decodeEntries(bytes.flip());
    for (BitmapDirectory.Entry entry : entries) {
      references.addStructure(TABLE, entry.tableOffset(), entry.tableEntries() * Long.BYTES);
    }
  }

  /** Counts the clusters that hold bits. To be called when every structure has been counted. */
  void addData() throws IOException {
    for (BitmapDirectory.Entry bitmap : entries) {
      references
          .scan()
          .visit(
              TABLE,
              bitmap.tableOffset(),
              bitmap.tableEntries(),
              (index, word) -> addData(bitmap.tableOffset(), index, word & OFFSET_MASK));
    }
  }

  private void addData(long table, long index, long hostOffset) throws IOException {
    if (hostOffset == 0) {
      return; // all zeros or all ones, by the entry alone
    }
    if (!header.geometry().isClusterAligned(hostOffset)) {
      throw new CorruptImageException(
          TABLE, table, "what entry %d names is not aligned to a cluster".formatted(index));
    }
    references.addData(TABLE, table, index, hostOffset, header.clusterBytes(), 1);
  }
}
