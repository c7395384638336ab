package org.qcowfs.image;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.Header;
import org.qcowfs.format.Limits;
import org.qcowfs.format.RefcountEntries;
import org.qcowfs.storage.BlockStorage;

/**
 * Tells whether an image was probably made with its metadata preallocated: many more of its
 * clusters have a refcount than take up space on the host. Then data clusters can be holes of the
 * host file, and it pays to ask the host. The rule is QEMU's, so that the map equals that of {@code
 * qemu-img}.
 *
 * <p>Thread rules: any number of threads; the answer is found once.
 */
final class MetadataPreallocation {
  private final BlockStorage storage;
  private final Header header;
  private volatile int answer;

  private static final int UNKNOWN = 0;
  private static final int LIKELY = 1;
  private static final int UNLIKELY = 2;

  MetadataPreallocation(BlockStorage storage, Header header) {
    this.storage = storage;
    this.header = header;
  }

  boolean isLikely() throws IOException {
    if (answer == UNKNOWN) {
      answer = detect() ? LIKELY : UNLIKELY;
    }
    return answer == LIKELY;
  }

  private boolean detect() throws IOException {
    long clustersOnHost = storage.allocatedBytes() >> header.clusterBits();
    long threshold = Math.max(clustersOnHost * 10 / 9, clustersOnHost + 2);
    long clustersInFile = (storage.size() + header.clusterBytes() - 1) >> header.clusterBits();
    if (threshold > clustersInFile) {
      return false;
    }
    try {
      return countUpTo(threshold, clustersInFile) >= threshold;
    } catch (CorruptImageException | EOFException e) {
      // As QEMU: a broken refcount structure does not keep anybody from reading the map.
      return false;
    }
  }

  private long countUpTo(long threshold, long clustersInFile) throws IOException {
    long entriesPerBlock = (long) header.clusterBytes() * 8 / header.refcountBits();
    ByteBuffer tableEntry = ByteBuffer.allocate(Long.BYTES);
    ByteBuffer block = ByteBuffer.allocate(header.clusterBytes());
    long counted = 0;
    long tableEntries = (long) header.refcountTableClusters() * header.clusterBytes() / Long.BYTES;
    for (long index = 0;
        index < tableEntries && index * entriesPerBlock < clustersInFile && counted < threshold;
        index++) {
      storage.readFully(tableEntry.clear(), header.refcountTableOffset() + index * Long.BYTES);
      long blockOffset = RefcountEntries.blockOffset(tableEntry.getLong(0));
      checkBlock(blockOffset);
      if (blockOffset != 0) {
        storage.readFully(block.clear(), blockOffset);
        int entries = (int) Math.min(entriesPerBlock, clustersInFile - index * entriesPerBlock);
        counted += RefcountEntries.countUsed(block, header.refcountOrder(), entries);
      }
    }
    return counted;
  }

  private static void checkBlock(long hostOffset) throws CorruptImageException {
    if (hostOffset < 0 || hostOffset > Limits.HOST_OFFSET) {
      throw new CorruptImageException(
          "Refcount block", hostOffset, "beyond what a host offset can be");
    }
  }
}
