package org.qcowfs.mapping;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.alloc.Refcounts;
import org.qcowfs.cache.ClusterCache;
import org.qcowfs.cache.TableCache;
import org.qcowfs.check.ReferenceCounter;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.format.Header;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.storage.MemoryStorage;
import org.qcowfs.testkit.storage.PowerLossException;
import org.qcowfs.testkit.storage.PowerLossStorage;
import org.qcowfs.testkit.storage.SurvivorChoices;

/**
 * Random writes, zeroes, discards and flushes, with the power lost in one host operation after the
 * other: no cluster is ever in use without being counted, what was flushed is there, and no sector
 * shows what was written to another.
 */
final class ActiveDiskPowerLossTest {
  private static final int SECTORS = 512;
  private static final long SIZE = (long) SECTORS * GuestModel.SECTOR_BYTES;
  private static final int OPERATIONS = 40;
  private static final int SURVIVORS = 12;
  private static final int CUTS = 40;
  private static final int SEEDS = 2;
  private static final int BACKING_SECTORS = 300;
  private static final long BACKING_STAMP = 1_000_000;

  /** A shape of image. */
  private record Shape(int clusterBits, int refcountOrder, boolean extendedL2, boolean backing) {}

  private static MemoryStorage image(Shape shape) {
    ImageBuilder builder =
        new ImageBuilder(3, shape.clusterBits())
            .virtualSize(SIZE)
            .refcountOrder(shape.refcountOrder());
    if (shape.extendedL2()) {
      builder.extendedL2();
    }
    SparseBytes bytes = builder.build().bytes();
    return MemoryStorage.of(bytes.read(0, Math.toIntExact(bytes.size())));
  }

  private static BackingSource backing(Shape shape) {
    return (destination, start) -> {
      long guestOffset = start;
      while (destination.hasRemaining()) {
        long sector = guestOffset / GuestModel.SECTOR_BYTES;
        ByteBuffer whole = ByteBuffer.allocate(GuestModel.SECTOR_BYTES);
        if (shape.backing() && sector < BACKING_SECTORS) {
          GuestModel.fill(whole, BACKING_STAMP + sector);
        }
        whole.clear().position((int) (guestOffset % GuestModel.SECTOR_BYTES));
        int count = Math.min(whole.remaining(), destination.remaining());
        destination.put(whole.limit(whole.position() + count));
        guestOffset += count;
      }
    };
  }

  private static GuestModel model(Shape shape) {
    GuestModel model = new GuestModel(SECTORS);
    for (int sector = 0; shape.backing() && sector < BACKING_SECTORS; sector++) {
      model.initially(sector, BACKING_STAMP + sector);
    }
    return model;
  }

  private static Header header(BlockStorage storage) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Header.DECODED_BYTES);
    storage.readFully(bytes, 0);
    return Header.decode(bytes.flip());
  }

  private static L1Table l1Table(BlockStorage storage, Header header) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(header.l1Entries() * Long.BYTES);
    storage.readFully(bytes, header.l1TableOffset());
    long[] entries = new long[header.l1Entries()];
    bytes.flip().asLongBuffer().get(entries);
    return new L1Table(entries, header.l1TableOffset());
  }

  private static Qcow2Layer.Caches caches() {
    return new Qcow2Layer.Caches(new TableCache(1 << 16), new ClusterCache(1 << 16));
  }

  private static ActiveDisk open(BlockStorage storage, Shape shape) throws IOException {
    Header header = header(storage);
    return new ActiveDisk(
        new Qcow2Layer.Files(storage, storage, 0),
        header,
        l1Table(storage, header),
        caches(),
        backing(shape),
        shape.backing() ? (long) BACKING_SECTORS * GuestModel.SECTOR_BYTES : 0);
  }

  /** The same operations at each run with the same seed, up to where the power fails. */
  private static void run(
      PowerLossStorage storage, Shape shape, GuestModel model, long seed, boolean barriers)
      throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    ActiveDisk disk = open(storage, shape);
    disk.setBarriers(barriers);
    for (int i = 0; i < OPERATIONS; i++) {
      int first = random.nextInt(SECTORS);
      int count = Math.min(SECTORS - first, 1 + random.nextInt(random.nextInt(4) == 0 ? 120 : 12));
      long offset = (long) first * GuestModel.SECTOR_BYTES;
      long bytes = (long) count * GuestModel.SECTOR_BYTES;
      switch (random.nextInt(10)) {
        case 0, 1 -> {
          disk.flushToDisk();
          model.flushed();
        }
        case 2 -> {
          model.zero(first, count);
          disk.zero(offset, bytes, false);
        }
        case 3, 4 -> {
          model.zero(first, count);
          disk.zero(offset, bytes, true);
        }
        case 5 -> disk.flushToOs();
        default -> disk.write(model.write(first, count), offset);
      }
    }
    disk.close();
    model.flushed();
  }

  @ParameterizedTest(name = "cluster bits {0}, refcount order {1}, extended L2 {2}, backing {3}")
  @CsvSource({
    "9, 4, false, false",
    "9, 6, false, true",
    "12, 4, false, false",
    "12, 0, false, true",
    "14, 4, true, false",
    "14, 4, true, true",
    "16, 4, false, true",
  })
  void aPowerLossNeverCorruptsNorLosesWhatWasFlushed(
      int clusterBits, int refcountOrder, boolean extendedL2, boolean backing) throws IOException {
    Shape shape = new Shape(clusterBits, refcountOrder, extendedL2, backing);

    assertThat(firstComplaint(shape, true)).isEmpty();
  }

  /** The canary: what a missing barrier does must not go unseen. */
  @Test
  void withoutBarriersAPowerLossCorrupts() throws IOException {
    assertThat(firstComplaint(new Shape(12, 4, false, false), false)).isNotEmpty();
  }

  /** What is wrong in the first crash state in which anything is. */
  private static List<String> firstComplaint(Shape shape, boolean barriers) throws IOException {
    for (long seed = 1; seed <= SEEDS; seed++) {
      PowerLossStorage whole = new PowerLossStorage(image(shape), PowerLossStorage.NEVER);
      run(whole, shape, model(shape), seed, barriers);
      SplittableRandom random = new SplittableRandom(seed);
      long step = Math.max(1, whole.changes() / CUTS);
      for (long cut = 1; cut <= whole.changes(); cut += 1 + random.nextLong(2 * step - 1)) {
        PowerLossStorage storage = new PowerLossStorage(image(shape), cut);
        GuestModel model = model(shape);
        try {
          run(storage, shape, model, seed, barriers);
        } catch (PowerLossException expected) {
          // the state at this moment is what the test is about
        }
        for (BitSet kept : SurvivorChoices.of(storage, SURVIVORS, random)) {
          List<String> complaints = new ArrayList<>();
          try {
            complaints.addAll(complaints(storage.surviving(kept), shape, model));
          } catch (CorruptImageException e) {
            complaints.add(e.getMessage());
          }
          if (!complaints.isEmpty()) {
            complaints.add(0, "seed %d, cut %d, kept %s".formatted(seed, cut, kept));
            return complaints;
          }
        }
      }
    }
    return List.of();
  }

  private static List<String> complaints(BlockStorage survivor, Shape shape, GuestModel model)
      throws IOException {
    Header header = header(survivor);
    ReferenceCounter references = new ReferenceCounter(survivor, header);
    references.addHeaderAndRefcounts();
    references.addTables(header.l1TableOffset(), header.l1Entries());
    Refcounts refcounts = new Refcounts(survivor, header, 1 << 16);
    List<String> complaints = new ArrayList<>();
    for (long cluster = 0; cluster < references.endCluster(); cluster++) {
      if (refcounts.getLocked(cluster) < references.count(cluster)) {
        complaints.add("cluster %d is in use but not counted".formatted(cluster));
      }
      if (references.count(cluster) > 1) {
        complaints.add("cluster %d is in use twice".formatted(cluster));
      }
    }
    Qcow2Layer layer =
        new Qcow2Layer(
            new Qcow2Layer.Files(survivor, survivor, 0),
            header,
            l1Table(survivor, header),
            caches(),
            backing(shape));
    for (int sector = 0; sector < SECTORS; sector++) {
      ByteBuffer bytes = ByteBuffer.allocate(GuestModel.SECTOR_BYTES);
      layer.read(bytes, (long) sector * GuestModel.SECTOR_BYTES);
      String complaint = model.complaint(sector, bytes.flip());
      if (complaint != null) {
        complaints.add(complaint);
      }
    }
    return complaints;
  }
}
