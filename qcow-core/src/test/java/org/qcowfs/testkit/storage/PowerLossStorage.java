package org.qcowfs.testkit.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A host file that knows which of its bytes would survive a power loss. A change becomes pending
 * sector by sector; a flush that returns makes durable what was pending when it began. Of what is
 * pending, any part may survive, in any combination: see {@link #surviving}.
 *
 * <p>The file's size is a part of its own: without it, bytes beyond the durable end are lost. Sizes
 * survive in the order in which they were set, as file systems journal them.
 *
 * <p>Two ways to use it: let the power fail in the n-th change of a run, or feed it a recorded run
 * with {@link #replay} and ask for survivors after every step.
 *
 * <p>Thread rules: any number of threads; one change at a time.
 */
public final class PowerLossStorage extends ForwardingStorage {
  /** What a disk writes whole or not at all. */
  public static final int SECTOR_BYTES = 512;

  /** As the number of the change in which the power fails: never. */
  public static final long NEVER = Long.MAX_VALUE;

  private final MemoryStorage current;
  private final MemoryStorage durable;
  private final List<Part> pending = new ArrayList<>();
  private final Map<Long, Long> flushBegins = new HashMap<>();
  private final long lastChange;
  private long changes;

  /** A sector's new bytes, or the file's new size where there are none. */
  private record Part(long change, long hostOffset, boolean isSize, ByteBuffer bytes) {
    /** The size that the file has from then on; bytes may lie beyond it, to be cut off. */
    long applyTo(MemoryStorage file, long size) {
      if (isSize) {
        file.resizeTo(hostOffset);
        return hostOffset;
      }
      file.write(bytes.duplicate(), hostOffset);
      return size;
    }
  }

  /**
   * @param content what is on the disk at first, all of it durable
   * @param lastChange the change or flush, counted from 1, in which the power fails: it may survive
   *     in part, and a flush does not return
   */
  public PowerLossStorage(MemoryStorage content, long lastChange) {
    this(content.copy(), content.copy(), lastChange);
  }

  private PowerLossStorage(MemoryStorage current, MemoryStorage durable, long lastChange) {
    super(current);
    this.current = current;
    this.durable = durable;
    this.lastChange = lastChange;
  }

  /** How many changes and flushes there were. */
  public synchronized long changes() {
    return changes;
  }

  /** How many parts of changes are pending: sectors and sizes. */
  public synchronized int pendingParts() {
    return pending.size();
  }

  /** Of each pending part, in order, the number of the change that it belongs to. */
  public synchronized long[] pendingChanges() {
    return pending.stream().mapToLong(Part::change).toArray();
  }

  /**
   * The file as it may be found after a power loss at this moment.
   *
   * @param kept which of the pending parts had reached the disk
   */
  public synchronized MemoryStorage surviving(BitSet kept) {
    MemoryStorage survivor = durable.copy();
    int lastSize = kept.length() - 1;
    while (lastSize >= 0 && !(kept.get(lastSize) && pending.get(lastSize).isSize)) {
      lastSize--;
    }
    long size = survivor.size();
    for (int i = 0; i < pending.size(); i++) {
      Part part = pending.get(i);
      if (part.isSize ? i <= lastSize : kept.get(i)) {
        size = part.applyTo(survivor, size);
      }
    }
    survivor.resizeTo(size);
    return survivor;
  }

  /** The file as the operating system shows it now, which is what the death of a process leaves. */
  public synchronized MemoryStorage current() {
    return current.copy();
  }

  /** Takes over an operation that was recorded elsewhere. */
  public void replay(StorageOperation operation) throws IOException {
    switch (operation.kind()) {
      case FLUSH -> beginFlush(operation.hostOffset());
      case FLUSH_DONE -> endFlush(operation.hostOffset());
      default -> operation.applyTo(this);
    }
  }

  private synchronized void beginFlush(long number) {
    flushBegins.put(number, changes);
  }

  private synchronized void endFlush(long number) {
    Long begin = flushBegins.remove(number);
    if (begin == null) {
      throw new IllegalArgumentException("flush %d has not begun".formatted(number));
    }
    makeDurable(begin);
  }

  @Override
  public synchronized int read(ByteBuffer destination, long hostOffset) throws IOException {
    checkPower();
    return current.read(destination, hostOffset);
  }

  @Override
  public void write(ByteBuffer source, long hostOffset) throws IOException {
    change(hostOffset, source.remaining(), () -> current.write(source, hostOffset));
  }

  @Override
  public void write(ByteBuffer[] sources, long hostOffset) throws IOException {
    long bytes = 0;
    for (ByteBuffer source : sources) {
      bytes += source.remaining();
    }
    change(hostOffset, bytes, () -> current.write(sources, hostOffset));
  }

  @Override
  public synchronized void flushToDisk() throws IOException {
    checkPower();
    changes++;
    checkPower();
    makeDurable(changes);
  }

  @Override
  public void resize(long bytes) throws IOException {
    change(0, 0, () -> current.resize(bytes));
  }

  @Override
  public void punchHole(long hostOffset, long bytes) throws IOException {
    change(hostOffset, bytes, () -> current.punchHole(hostOffset, bytes));
  }

  @Override
  public void zeroRange(long hostOffset, long bytes) throws IOException {
    change(hostOffset, bytes, () -> current.zeroRange(hostOffset, bytes));
  }

  @Override
  public void allocate(long hostOffset, long bytes) throws IOException {
    change(0, 0, () -> current.allocate(hostOffset, bytes));
  }

  private interface Change {
    void make() throws IOException;
  }

  /** Makes a change to the bytes of a range, and perhaps to the size. */
  private synchronized void change(long hostOffset, long bytes, Change change) throws IOException {
    checkPower();
    long oldSize = current.size();
    change.make();
    changes++;
    long size = current.size();
    if (size != oldSize) {
      pending.add(new Part(changes, size, true, ByteBuffer.allocate(0)));
    }
    long end = Math.min(size, hostOffset + bytes);
    for (long sector = hostOffset - hostOffset % SECTOR_BYTES; sector < end; ) {
      ByteBuffer content = ByteBuffer.allocate(SECTOR_BYTES);
      current.read(content, sector);
      pending.add(new Part(changes, sector, false, content.clear()));
      sector += SECTOR_BYTES;
    }
    checkPower();
  }

  private void makeDurable(long lastCovered) {
    long size = durable.size();
    int covered = 0;
    while (covered < pending.size() && pending.get(covered).change <= lastCovered) {
      size = pending.get(covered++).applyTo(durable, size);
    }
    pending.subList(0, covered).clear();
    durable.resizeTo(size);
  }

  private void checkPower() throws PowerLossException {
    if (changes >= lastChange) {
      throw new PowerLossException(lastChange);
    }
  }
}
