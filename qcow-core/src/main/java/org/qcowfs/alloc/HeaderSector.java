package org.qcowfs.alloc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.qcowfs.format.Features;
import org.qcowfs.storage.BlockStorage;

/**
 * The first sector of an image, which holds every pointer and every feature bit of the header. A
 * change is one write of that sector, so a crash leaves the old or the new one (rule R6). Bytes
 * that this version does not know are kept.
 *
 * <p>Thread rules: guarded by the metadata lock of the image. Nothing here waits for stable media;
 * the caller knows what must be durable before and after.
 */
public final class HeaderSector {
  private static final int BYTES = 512;
  private static final int BACKING_NAME_OFFSET = 8;
  private static final int SIZE = 24;
  private static final int L1_SIZE = 36;
  private static final int L1_TABLE_OFFSET = 40;
  private static final int REFCOUNT_TABLE_OFFSET = 48;
  private static final int REFCOUNT_TABLE_CLUSTERS = 56;
  private static final int SNAPSHOT_COUNT = 60;
  private static final int SNAPSHOT_TABLE_OFFSET = 64;
  private static final int INCOMPATIBLE_FEATURES = 72;
  private static final int COMPATIBLE_FEATURES = 80;
  private static final int AUTOCLEAR_FEATURES = 88;

  private final BlockStorage storage;
  private final int version;
  private final ByteBuffer sector = ByteBuffer.allocateDirect(BYTES).order(ByteOrder.BIG_ENDIAN);
  private final ByteBuffer inFile = ByteBuffer.allocateDirect(BYTES);

  /** A write has failed, and may have been made all the same. */
  private boolean uncertain;

  public HeaderSector(BlockStorage storage, int version) throws IOException {
    this.storage = storage;
    this.version = version;
    storage.readFully(sector, 0);
    inFile.put(sector.duplicate().flip());
  }

  /** Switches to another L1 table. */
  public void setL1TableLocked(long hostOffset, int entries) throws IOException {
    sector.putInt(L1_SIZE, entries);
    sector.putLong(L1_TABLE_OFFSET, hostOffset);
    write();
  }

  /** Switches to another refcount table. */
  public void setRefcountTableLocked(long hostOffset, int clusters) throws IOException {
    sector.putLong(REFCOUNT_TABLE_OFFSET, hostOffset);
    sector.putInt(REFCOUNT_TABLE_CLUSTERS, clusters);
    write();
  }

  /** Switches to another copy of the backing file's name. */
  void setBackingNameOffsetLocked(long hostOffset) throws IOException {
    sector.putLong(BACKING_NAME_OFFSET, hostOffset);
    write();
  }

  /** Switches to another snapshot table. */
  public void setSnapshotTableLocked(long hostOffset, int count) throws IOException {
    sector.putInt(SNAPSHOT_COUNT, count);
    sector.putLong(SNAPSHOT_TABLE_OFFSET, hostOffset);
    write();
  }

  /** Changes the eight bytes at an aligned offset of the header's cluster. */
  public void setWordLocked(int hostOffset, long word) throws IOException {
    if (hostOffset < BYTES) {
      sector.putLong(hostOffset, word);
      write();
    } else {
      storage.write(ByteBuffer.allocateDirect(Long.BYTES).putLong(word).flip(), hostOffset);
    }
  }

  /** Changes the virtual size, in bytes. */
  public void setVirtualSizeLocked(long bytes) throws IOException {
    sector.putLong(SIZE, bytes);
    write();
  }

  /** Goes back to a virtual size: in memory now, in the file with {@link #makeCertainLocked}. */
  public void takeBackVirtualSizeLocked(long bytes) {
    sector.putLong(SIZE, bytes);
    inFile.putLong(SIZE, bytes);
    uncertain = true;
  }

  /**
   * After a change that failed: makes sure that the file says what this does, which is what it was
   * before. To be called before anything counts on that.
   */
  public void makeCertainLocked() throws IOException {
    if (uncertain) {
      write();
    }
  }

  /** Whether refcounts may be wrong from here on. Images of version 2 cannot say so. */
  public void setDirtyLocked(boolean dirty) throws IOException {
    setIncompatible(Features.INCOMPATIBLE_DIRTY, dirty);
  }

  /** Any structure may be wrong: nobody may write to the image until it is repaired. */
  public void setCorruptLocked() throws IOException {
    setIncompatible(Features.INCOMPATIBLE_CORRUPT, true);
  }

  /** The image has been repaired. */
  public void clearCorruptLocked() throws IOException {
    setIncompatible(Features.INCOMPATIBLE_CORRUPT, false);
  }

  private void setIncompatible(long bit, boolean set) throws IOException {
    long old = version == 2 ? 0 : sector.getLong(INCOMPATIBLE_FEATURES);
    long changed = set ? old | bit : old & ~bit;
    if (version >= 3 && changed != old) {
      sector.putLong(INCOMPATIBLE_FEATURES, changed);
      write();
    }
  }

  /** Whether refcounts are allowed to be postponed. */
  public void setLazyRefcountsLocked(boolean lazy) throws IOException {
    long old = sector.getLong(COMPATIBLE_FEATURES);
    long bit = Features.COMPATIBLE_LAZY_REFCOUNTS;
    long changed = lazy ? old | bit : old & ~bit;
    if (version >= 3 && changed != old) {
      sector.putLong(COMPATIBLE_FEATURES, changed);
      write();
    }
  }

  /** The autoclear bits that are set. */
  public long autoclearLocked() {
    return version == 2 ? 0 : sector.getLong(AUTOCLEAR_FEATURES);
  }

  /** Keeps only these autoclear bits. */
  public void keepAutoclearLocked(long bits) throws IOException {
    sector.putLong(AUTOCLEAR_FEATURES, autoclearLocked() & bits);
    write();
  }

  /**
   * After a failure the sector in memory is what it was, so that no later change brings it along.
   */
  private void write() throws IOException {
    boolean written = false;
    uncertain = true;
    try {
      storage.write(sector.duplicate().clear(), 0);
      written = true;
      uncertain = false;
    } finally {
      ByteBuffer from = (written ? sector : inFile).duplicate().clear();
      (written ? inFile : sector).duplicate().clear().put(from);
    }
  }
}
