package org.qcowfs.alloc;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.qcowfs.geometry.ClusterGeometry;

/**
 * Which clusters of an image file hold metadata, and of what kind. A hash table of words with four
 * bits for each of sixteen neighbouring clusters: memory follows the number of tables, and not the
 * offsets that an image names.
 *
 * <p>Where there are more tables than a part of the heap can tell of, those that come last are not
 * known. What is not known is not protected, but nothing else changes.
 *
 * <p>Thread rules: looked up by any number of threads, without a lock; changes are guarded by the
 * metadata lock of the image. A look-up may miss a change that is made at the same time.
 */
public final class MetadataClusters {
  /** What a cluster holds. */
  public enum Kind {
    HEADER(1, "the header"),
    REFCOUNT_TABLE(2, "the refcount table"),
    REFCOUNT_BLOCK(3, "a refcount block"),
    L1_TABLE(4, "the active L1 table"),
    L2_TABLE(5, "an active L2 table"),
    SNAPSHOT_TABLE(6, "the snapshot table"),
    SNAPSHOT_L1_TABLE(7, "the L1 table of an internal snapshot"),
    SNAPSHOT_L2_TABLE(8, "an L2 table of an internal snapshot"),
    BITMAP_DIRECTORY(9, "the bitmap directory"),
    BITMAP_TABLE(10, "a bitmap table"),
    /** Nothing durable may point to it any more, but its refcount has not dropped yet. */
    FORMER(11, "a table that is being given up");

    /** In a word: 1 to 15; 0 is no metadata. */
    private final int code;

    private final String words;

    Kind(int code, String words) {
      this.code = code;
      this.words = words;
    }

    /** For messages: with its article. */
    public String words() {
      return words;
    }
  }

  private static final VarHandle SLOTS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final Kind[] BY_CODE = Kind.values();
  private static final int GROUP_BITS = 4;
  private static final int KIND_BITS = 4;
  private static final long KIND_MASK = (1L << KIND_BITS) - 1;
  private static final int GROUP_MASK = (1 << GROUP_BITS) - 1;
  private static final int FIRST_GROUPS = 64;
  private static final int HEAP_SHARE = 8;
  private static final int BYTES_PER_GROUP = 2 * Long.BYTES;

  private final int clusterBits;
  private final long maxGroups;

  /** Pairs of a group's number, plus 1, and its word; a number of 0 ends a search. */
  private volatile long[] slots = new long[2 * FIRST_GROUPS];

  private int groups;

  public MetadataClusters(ClusterGeometry geometry) {
    this(geometry, Runtime.getRuntime().maxMemory() / HEAP_SHARE);
  }

  /** As {@link #MetadataClusters(ClusterGeometry)}, in so many bytes. */
  MetadataClusters(ClusterGeometry geometry, long maxBytes) {
    this.clusterBits = geometry.clusterBits();
    this.maxGroups = Math.max(FIRST_GROUPS, Long.highestOneBit(maxBytes / BYTES_PER_GROUP));
  }

  /** What the cluster holds, if it is known to hold metadata. */
  public @Nullable Kind kindOf(long cluster) {
    int kind = (int) ((word(cluster >>> GROUP_BITS) >>> shiftOf(cluster)) & KIND_MASK);
    return kind == 0 ? null : BY_CODE[kind - 1];
  }

  /** The first cluster of metadata that a range of the file touches; -1 where it touches none. */
  public long firstIn(long hostOffset, long bytes) {
    long first = hostOffset >>> clusterBits;
    long last = (hostOffset + bytes - 1) >>> clusterBits;
    for (long group = first >>> GROUP_BITS; group <= last >>> GROUP_BITS; group++) {
      long word = word(group);
      if (word != 0) {
        long start = group << GROUP_BITS;
        if (first > start) {
          word &= -1L << shiftOf(first);
        }
        if (last < start + GROUP_MASK) {
          word &= (1L << (shiftOf(last) + KIND_BITS)) - 1;
        }
        if (word != 0) {
          return start + Long.numberOfTrailingZeros(word) / KIND_BITS;
        }
      }
    }
    return -1;
  }

  /** Notes that the clusters of a range hold metadata from now on. */
  public void addLocked(Kind kind, long hostOffset, long bytes) {
    for (long cluster = hostOffset >>> clusterBits;
        cluster <= (hostOffset + bytes - 1) >>> clusterBits;
        cluster++) {
      put(cluster, kind.code);
    }
  }

  /**
   * Notes that tables are no longer used. They stay protected until their refcounts drop to 0, as a
   * write to them would still be wrong until then. A table of a snapshot stays what it is.
   */
  public void giveUpLocked(long hostOffset, long bytes) {
    for (long cluster = hostOffset >>> clusterBits;
        cluster <= (hostOffset + bytes - 1) >>> clusterBits;
        cluster++) {
      Kind kind = kindOf(cluster);
      if (kind == Kind.L1_TABLE || kind == Kind.L2_TABLE) {
        put(cluster, Kind.FORMER.code);
      }
    }
  }

  /** Notes that the cluster is free. */
  void removeLocked(long cluster) {
    if (kindOf(cluster) != null) {
      put(cluster, 0);
    }
  }

  private static int shiftOf(long cluster) {
    return (int) (cluster & GROUP_MASK) * KIND_BITS;
  }

  private static int slotOf(long group, int length) {
    return (int) ((group * 0x9e37_79b9_7f4a_7c15L) >>> 32) & (length / 2 - 1);
  }

  private long word(long group) {
    long[] now = slots;
    int mask = now.length / 2 - 1;
    int slot = slotOf(group, now.length);
    while (true) {
      long key = (long) SLOTS.getAcquire(now, 2 * slot);
      if (key == group + 1) {
        return (long) SLOTS.getAcquire(now, 2 * slot + 1);
      }
      if (key == 0) {
        return 0;
      }
      slot = (slot + 1) & mask;
    }
  }

  private boolean contains(long group) {
    int mask = slots.length / 2 - 1;
    int slot = slotOf(group, slots.length);
    while (slots[2 * slot] != 0 && slots[2 * slot] != group + 1) {
      slot = (slot + 1) & mask;
    }
    return slots[2 * slot] != 0;
  }

  private void put(long cluster, long kind) {
    long group = cluster >>> GROUP_BITS;
    if (2 * groups >= slots.length / 2 && !contains(group) && !rebuild()) {
      return;
    }
    long old = word(group);
    int shift = shiftOf(cluster);
    set(slots, group, (old & ~(KIND_MASK << shift)) | (kind << shift));
  }

  /**
   * Makes room, so that at most half of the slots are taken and a search for what is not there is
   * short. Groups that hold no metadata any more are left out.
   */
  private boolean rebuild() {
    long[] old = slots;
    int capacity = old.length / 2;
    int live = 0;
    for (int i = 0; i < old.length; i += 2) {
      live += old[i + 1] == 0 ? 0 : 1;
    }
    int wanted = live > capacity / 4 ? 2 * capacity : capacity;
    if (wanted > maxGroups) {
      wanted = capacity;
      if (live > capacity * 3 / 8) {
        return false;
      }
    }
    long[] rebuilt = new long[2 * wanted];
    groups = 0;
    for (int i = 0; i < old.length; i += 2) {
      if (old[i + 1] != 0) {
        set(rebuilt, old[i] - 1, old[i + 1]);
      }
    }
    slots = rebuilt;
    return true;
  }

  private void set(long[] in, long group, long word) {
    int mask = in.length / 2 - 1;
    int slot = slotOf(group, in.length);
    while (in[2 * slot] != 0 && in[2 * slot] != group + 1) {
      slot = (slot + 1) & mask;
    }
    SLOTS.setRelease(in, 2 * slot + 1, word);
    if (in[2 * slot] == 0) {
      SLOTS.setRelease(in, 2 * slot, group + 1);
      groups++;
    }
  }
}
