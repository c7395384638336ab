package org.qcowfs.mapping;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.qcowfs.alloc.Refcounts;
import org.qcowfs.cache.ClusterCache;
import org.qcowfs.cache.TableCache;
import org.qcowfs.check.ReferenceCounter;
import org.qcowfs.format.Header;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.storage.MemoryStorage;

/** Opens active disks on files in memory, without a backing file. */
final class TestDisk {
  private TestDisk() {}

  static MemoryStorage image(ImageBuilder builder) {
    SparseBytes bytes = builder.build().bytes();
    return MemoryStorage.of(bytes.read(0, Math.toIntExact(bytes.size())));
  }

  static Header header(BlockStorage storage) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Header.DECODED_BYTES);
    storage.readFully(bytes, 0);
    return Header.decode(bytes.flip());
  }

  static ActiveDisk open(BlockStorage storage, WriteSettings settings) throws IOException {
    Header header = header(storage);
    ByteBuffer bytes = ByteBuffer.allocate(header.l1Entries() * Long.BYTES);
    storage.readFully(bytes, header.l1TableOffset());
    long[] entries = new long[header.l1Entries()];
    bytes.flip().asLongBuffer().get(entries);
    return new ActiveDisk(
        new Qcow2Layer.Files(storage, storage, 0),
        header,
        new L1Table(entries, header.l1TableOffset()),
        new Qcow2Layer.Caches(new TableCache(1 << 16), new ClusterCache(1 << 16)),
        BackingSource.ZEROS,
        0,
        settings,
        List.of());
  }

  static ActiveDisk open(BlockStorage storage) throws IOException {
    return open(storage, WriteSettings.defaults());
  }

  /** Clusters that are in use but not counted. */
  static List<String> uncounted(BlockStorage storage) throws IOException {
    return clusters(storage, (refcount, references) -> refcount < references);
  }

  /** Clusters that are counted more or less often than they are in use. */
  static List<String> miscounted(BlockStorage storage) throws IOException {
    return clusters(storage, (refcount, references) -> refcount != references);
  }

  private interface Complaint {
    boolean isDue(long refcount, long references);
  }

  private static List<String> clusters(BlockStorage storage, Complaint complaint)
      throws IOException {
    Header header = header(storage);
    ReferenceCounter references = new ReferenceCounter(storage, header);
    references.addHeaderAndRefcounts();
    references.addTables(header.l1TableOffset(), header.l1Entries());
    Refcounts refcounts = new Refcounts(storage, header, 1 << 16);
    List<String> found = new ArrayList<>();
    for (long cluster = 0; cluster < references.endCluster(); cluster++) {
      long refcount = refcounts.getLocked(cluster);
      if (complaint.isDue(refcount, references.count(cluster))) {
        found.add(
            "cluster %d has refcount %d, and %d references"
                .formatted(cluster, refcount, references.count(cluster)));
      }
    }
    return found;
  }

  /** Bytes to write: as many as that, all of them the same. */
  static ByteBuffer bytes(int count, int value) {
    ByteBuffer bytes = ByteBuffer.allocate(count);
    while (bytes.hasRemaining()) {
      bytes.put((byte) value);
    }
    return bytes.flip();
  }
}
