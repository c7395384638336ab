package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
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
 *
 * <p>Thread rules: used by one thread.
 */
final class BitmapReferences {
  private static final String DIRECTORY = "Bitmap directory";
  private static final String TABLE = "Bitmap table";
  private static final String LOST = "the bitmaps are lost, the disk is not";
  private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;
  private static final long RESERVED = 0xff00_0000_0000_01feL;
  private static final long ALL_ONES = 1;

  private final ReferenceCounter references;
  private final Header header;
  private final List<BitmapDirectory.Entry> entries = new ArrayList<>();

  /** Reads the directory, and counts it and the tables that it names. */
  BitmapReferences(
      ReferenceCounter references, BlockStorage storage, Header header, HeaderExtensions extensions)
      throws IOException {
    this.references = references;
    this.header = header;
    Optional<HeaderExtensions.Extension> extension = extensions.bitmaps();
    if (extension.isEmpty() || (header.autoclearFeatures() & Features.AUTOCLEAR_BITMAPS) == 0) {
      return;
    }
    try {
      readDirectory(storage, extension.get());
    } catch (CorruptImageException e) {
      references.hiding(
          Finding.corruption(DIRECTORY, e.hostOffset(), String.valueOf(e.getMessage()), LOST),
          Fix.Part.BITMAPS);
    }
  }

  private void readDirectory(BlockStorage storage, HeaderExtensions.Extension extension)
      throws IOException {
    BitmapDirectory directory = BitmapDirectory.decode(extension, header.geometry());
    if (!references.addStructure(
        DIRECTORY, directory.hostOffset(), directory.bytes(), Fix.Part.BITMAPS)) {
      return;
    }
    if (directory.hostOffset() > references.fileBytes() - directory.bytes()) {
      throw new CorruptImageException(
          DIRECTORY, directory.hostOffset(), "ends past the end of the file");
    }
    ByteBuffer bytes = ByteBuffer.allocate(directory.bytes());
    storage.readFully(bytes, directory.hostOffset());
    for (BitmapDirectory.Entry entry : directory.decodeEntries(bytes.flip())) {
      if (references.addStructure(
          TABLE, entry.tableOffset(), entry.tableEntries() * Long.BYTES, Fix.Part.BITMAPS)) {
        entries.add(entry);
        checkLength(entry);
      }
    }
  }

  private void checkLength(BitmapDirectory.Entry entry) throws CorruptImageException {
    long granules = divideUp(header.virtualSize() / 512 * 512, 1L << entry.granularityBits());
    long needed = divideUp(divideUp(granules, 8), header.clusterBytes());
    if (!entry.inUse() && entry.tableEntries() != needed) {
      references.harmless(
          Finding.corruption(
              TABLE,
              entry.tableOffset(),
              "bitmap '%s': %d entries, a disk of this size needs %d"
                  .formatted(entry.name(), entry.tableEntries(), needed),
              LOST),
          Fix.Part.BITMAPS);
    }
  }

  private static long divideUp(long value, long divisor) {
    return value / divisor + (value % divisor == 0 ? 0 : 1);
  }

  /** Counts the clusters that hold bits. To be called when every structure has been counted. */
  void addData() throws IOException {
    for (BitmapDirectory.Entry bitmap : entries) {
      references
          .scan()
          .visit(
              bitmap.tableOffset(),
              bitmap.tableEntries(),
              (index, word) -> addData(bitmap, index, word));
    }
  }

  private void addData(BitmapDirectory.Entry bitmap, long index, long word) throws IOException {
    long hostOffset = word & OFFSET_MASK;
    String problem = null;
    if ((word & RESERVED) != 0 || (hostOffset != 0 && (word & ALL_ONES) != 0)) {
      problem = "reserved bits are set: 0x%x".formatted(word);
    } else if (!header.geometry().isClusterAligned(hostOffset)) {
      problem = "what it names, host offset 0x%x, is not aligned".formatted(hostOffset);
    } else if (hostOffset != 0 && references.isPastEnd(hostOffset, header.clusterBytes())) {
      problem = "what it names, host offset 0x%x, lies past the end".formatted(hostOffset);
    } else if (hostOffset != 0) {
      problem = overlap(hostOffset);
    }
    if (problem != null) {
      references.hiding(
          Finding.corruption(
                  TABLE,
                  bitmap.tableOffset(),
                  "bitmap '%s': %s".formatted(bitmap.name(), problem),
                  "a part of its bits is lost")
              .at(index),
          Fix.Words.one(bitmap.tableOffset() + index * Long.BYTES, ALL_ONES));
    } else if (hostOffset != 0) {
      references.counts().add(hostOffset >>> header.clusterBits(), 1);
    }
  }

  private @org.jspecify.annotations.Nullable String overlap(long hostOffset) {
    long cluster = hostOffset >>> header.clusterBits();
    return references.structures().contains(cluster) || references.l2Tables().get(cluster) != 0
        ? "what it names, host offset 0x%x, overlaps a structure of the image".formatted(hostOffset)
        : null;
  }
}
