package org.qcowfs.testkit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An image that was laid out, and where in it everything lies, so that a test can break it at a
 * chosen place.
 *
 * @param dataFile the external data file, where there is one
 * @param snapshotOffsets host offsets of the entries of the snapshot table
 * @param bitmapDirectoryOffset 0 where there is none
 * @param extensionOffsets host offset of the head of each header extension, by type
 */
public record TestImage(
    SparseBytes bytes,
    Optional<SparseBytes> dataFile,
    int clusterBits,
    boolean extendedL2,
    long l1TableOffset,
    long refcountTableOffset,
    List<Long> snapshotOffsets,
    long bitmapDirectoryOffset,
    Map<Integer, Long> extensionOffsets) {

  private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;

  /** Where the L1 entry lies that maps the guest offset in the active disk. */
  public long l1EntryOffset(long guestOffset) {
    return l1TableOffset + (guestOffset >> clusterBits) / l2Entries() * Long.BYTES;
  }

  /** Where the L2 entry lies that maps the guest offset in the active disk. */
  public long l2EntryOffset(long guestOffset) {
    long l2Table = bytes.getLong(l1EntryOffset(guestOffset)) & OFFSET_MASK;
    return l2Table + (guestOffset >> clusterBits) % l2Entries() * (extendedL2 ? 16 : 8);
  }

  /** The L2 entry that maps the guest offset in the active disk; its first word. */
  public long l2Entry(long guestOffset) {
    return bytes.getLong(l2EntryOffset(guestOffset));
  }

  /** Where the cluster lies that holds the guest offset. */
  public long clusterOffset(long guestOffset) {
    return l2Entry(guestOffset) & OFFSET_MASK;
  }

  /** Where the head of the header extension lies. */
  public long extensionOffset(int type) {
    Long offset = extensionOffsets.get(type);
    if (offset == null) {
      throw new IllegalArgumentException("the image has no extension 0x%08x".formatted(type));
    }
    return offset;
  }

  private long l2Entries() {
    return (1L << clusterBits) / (extendedL2 ? 16 : 8);
  }

  /** A copy in memory that can be opened. */
  public MemoryStorage storage() {
    return new MemoryStorage(bytes);
  }

  /** Makes the image a real file. */
  public Path writeTo(Path file) throws IOException {
    return bytes.writeTo(file);
  }
}
