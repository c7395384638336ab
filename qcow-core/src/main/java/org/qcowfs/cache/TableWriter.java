package org.qcowfs.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.qcowfs.storage.BlockStorage;

/**
 * Writes the modified slices of a cache to the file. Taking a copy and writing it are apart, so
 * that the metadata lock is not held while the file is written.
 *
 * <p>Thread rules: one write-out of a cache at a time.
 */
public final class TableWriter {
  private static final int MAX_WRITE_BYTES = 1 << 20;

  private final TableCache cache;
  private final BlockStorage storage;

  public TableWriter(TableCache cache, BlockStorage storage) {
    this.cache = cache;
    this.storage = storage;
  }

  /**
   * Slices as they were when they were copied.
   *
   * @param requiredTicket what must be durable before they may be written
   */
  public record Copies(List<TableSlice> slices, List<Extent> extents, long requiredTicket) {
    /** Bytes that go to the file in one write. */
    record Extent(long hostOffset, ByteBuffer bytes) {}

    public boolean isEmpty() {
      return slices.isEmpty();
    }
  }

  /**
   * Copies every modified slice. From here on a slice counts as modified only if it changes again.
   */
  public Copies copyLocked() {
    List<TableSlice> slices = cache.modifiedLocked();
    long required = 0;
    List<Copies.Extent> extents = new ArrayList<>();
    int index = 0;
    while (index < slices.size()) {
      int end = endOfExtent(slices, index);
      int bytes = bytesOf(slices.subList(index, end));
      ByteBuffer buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.BIG_ENDIAN);
      java.nio.LongBuffer words = buffer.asLongBuffer();
      for (TableSlice slice : slices.subList(index, end)) {
        slice.copyTo(words);
        required = Math.max(required, slice.requiredTicket);
      }
      extents.add(new Copies.Extent(slices.get(index).hostOffset(), buffer));
      index = end;
    }
    // Only now: without memory for all the copies, nothing has been taken.
    for (TableSlice slice : slices) {
      slice.modified = false;
      slice.requiredTicket = 0;
    }
    return new Copies(slices, extents, required);
  }

  private static int bytesOf(List<TableSlice> slices) {
    return slices.stream().mapToInt(slice -> slice.wordCount() * Long.BYTES).sum();
  }

  private static int endOfExtent(List<TableSlice> slices, int start) {
    int end = start + 1;
    long bytes = (long) slices.get(start).wordCount() * Long.BYTES;
    while (end < slices.size()
        && bytes < MAX_WRITE_BYTES
        && slices.get(end).hostOffset() == slices.get(start).hostOffset() + bytes) {
      bytes += (long) slices.get(end).wordCount() * Long.BYTES;
      end++;
    }
    return end;
  }

  /** Hands the copies to the operating system, in ascending order. */
  public void write(Copies copies) throws IOException {
    for (Copies.Extent extent : copies.extents()) {
      storage.write(extent.bytes().clear(), extent.hostOffset());
    }
  }

  /** After a successful write: lets the slices go that did not change meanwhile. */
  public void doneLocked(Copies copies) {
    copies.slices().forEach(cache::unpinLocked);
  }

  /** After a failed write: the slices still differ from the file. */
  public void failedLocked(Copies copies) {
    for (TableSlice slice : copies.slices()) {
      slice.modified = true;
      slice.requiredTicket = Math.max(slice.requiredTicket, copies.requiredTicket());
    }
  }
}
