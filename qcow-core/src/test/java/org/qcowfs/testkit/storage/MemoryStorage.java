package org.qcowfs.testkit.storage;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.qcowfs.error.HostIoException;
import org.qcowfs.storage.BlockStorage;

/**
 * A sparse host file in memory. What {@link #flushToDisk} brings to disk is not told apart.
 *
 * <p>Invariant: the bytes of a page never change once it is in the map. So copies share pages, and
 * cost no more than the map.
 *
 * <p>Thread rules: any number of threads.
 */
public final class MemoryStorage implements BlockStorage {
  /** Space is taken and given back in units of this many bytes. */
  public static final int PAGE_BYTES = 4096;

  private static final byte[] ZEROS = new byte[PAGE_BYTES];
  private static final int EFBIG = 27;
  private static final long SIZE_MAX = 1L << 62;

  private final Path name;
  private final NavigableMap<Long, byte[]> pages;
  private long size;

  /** An empty file. */
  public MemoryStorage() {
    this(Path.of("memory"), new TreeMap<>(), 0);
  }

  private MemoryStorage(Path name, NavigableMap<Long, byte[]> pages, long size) {
    this.name = name;
    this.pages = pages;
    this.size = size;
  }

  /** A file with the given bytes. */
  public static MemoryStorage of(byte[] content) {
    MemoryStorage storage = new MemoryStorage();
    storage.write(ByteBuffer.wrap(content), 0);
    return storage;
  }

  /** A file with the same bytes and a life of its own. */
  public synchronized MemoryStorage copy() {
    return new MemoryStorage(name, new TreeMap<>(pages), size);
  }

  /** All bytes, for files that fit an array. */
  public synchronized byte[] bytes() {
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(size));
    read(all, 0);
    return all.array();
  }

  /** The big-endian word at the offset. */
  public long word(long hostOffset) {
    ByteBuffer word = ByteBuffer.allocate(Long.BYTES);
    read(word, hostOffset);
    return word.getLong(0);
  }

  @Override
  public Path name() {
    return name;
  }

  @Override
  public boolean isWritable() {
    return true;
  }

  @Override
  public synchronized long size() {
    return size;
  }

  @Override
  public synchronized long allocatedBytes() {
    return (long) pages.size() * PAGE_BYTES;
  }

  @Override
  public synchronized int read(ByteBuffer destination, long hostOffset) {
    int bytes = (int) Math.max(0, Math.min(destination.remaining(), size - hostOffset));
    for (int done = 0; done < bytes; ) {
      long offset = hostOffset + done;
      int inPage = (int) (offset % PAGE_BYTES);
      int piece = Math.min(bytes - done, PAGE_BYTES - inPage);
      byte[] page = pages.get(offset / PAGE_BYTES);
      destination.put(page == null ? ZEROS : page, inPage, piece);
      done += piece;
    }
    return bytes;
  }

  @Override
  public synchronized void write(ByteBuffer source, long hostOffset) {
    long offset = hostOffset;
    while (source.hasRemaining()) {
      int inPage = (int) (offset % PAGE_BYTES);
      int piece = Math.min(source.remaining(), PAGE_BYTES - inPage);
      byte[] page = pages.getOrDefault(offset / PAGE_BYTES, ZEROS).clone();
      source.get(page, inPage, piece);
      pages.put(offset / PAGE_BYTES, page);
      offset += piece;
    }
    size = Math.max(size, offset);
  }

  @Override
  public synchronized void write(ByteBuffer[] sources, long hostOffset) {
    long offset = hostOffset;
    for (ByteBuffer source : sources) {
      int bytes = source.remaining();
      write(source, offset);
      offset += bytes;
    }
  }

  @Override
  public void flushToDisk() {
    // memory is all there is
  }

  @Override
  public synchronized void resize(long bytes) throws HostIoException {
    if (bytes < 0 || bytes > SIZE_MAX) {
      throw new HostIoException(EFBIG, "%s: resize failed: %d bytes".formatted(name, bytes));
    }
    resizeTo(bytes);
  }

  /** As {@link #resize}, with a size that is known to be possible. */
  synchronized void resizeTo(long bytes) {
    if (bytes < size) {
      clear(bytes, size);
    }
    size = bytes;
  }

  @Override
  public synchronized void punchHole(long hostOffset, long bytes) {
    clear(hostOffset, Math.min(size, hostOffset + bytes));
  }

  /** Whole pages become holes, bytes at the edges become zeros. */
  private void clear(long from, long to) {
    if (to <= from) {
      return;
    }
    long firstWhole = (from + PAGE_BYTES - 1) / PAGE_BYTES;
    long endWhole = to == size ? (to + PAGE_BYTES - 1) / PAGE_BYTES : to / PAGE_BYTES;
    if (firstWhole <= endWhole) {
      pages.subMap(firstWhole, endWhole).clear();
    }
    clearInPage(from, Math.min(to, firstWhole * PAGE_BYTES));
    clearInPage(Math.max(from, endWhole * PAGE_BYTES), to);
  }

  private void clearInPage(long from, long to) {
    byte[] page = pages.get(from / PAGE_BYTES);
    if (from < to && page != null) {
      byte[] cleared = page.clone();
      int inPage = (int) (from % PAGE_BYTES);
      Arrays.fill(cleared, inPage, inPage + (int) (to - from), (byte) 0);
      pages.put(from / PAGE_BYTES, cleared);
    }
  }

  @Override
  public synchronized void zeroRange(long hostOffset, long bytes) {
    clear(hostOffset, Math.min(size, hostOffset + bytes));
    allocate(hostOffset, bytes);
  }

  @Override
  public synchronized void allocate(long hostOffset, long bytes) {
    if (bytes == 0) {
      return;
    }
    long end = hostOffset + bytes;
    for (long page = hostOffset / PAGE_BYTES; page * PAGE_BYTES < end; page++) {
      pages.putIfAbsent(page, ZEROS);
    }
    size = Math.max(size, end);
  }

  @Override
  public synchronized long nextData(long hostOffset) {
    Map.Entry<Long, byte[]> next = pages.ceilingEntry(hostOffset / PAGE_BYTES);
    long offset = next == null ? size : Math.max(hostOffset, next.getKey() * PAGE_BYTES);
    return offset >= size ? -1 : offset;
  }

  @Override
  public synchronized long nextHole(long hostOffset) {
    long page = hostOffset / PAGE_BYTES;
    while (pages.containsKey(page)) {
      page++;
    }
    return Math.max(hostOffset, Math.min(size, page * PAGE_BYTES));
  }

  @Override
  public void close() {
    // nothing is held
  }
}
