package org.qcowfs.it.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.qcowfs.it.kit.Accelerator;
import org.qcowfs.it.kit.DiskFile;
import org.qcowfs.it.kit.ImageEditor;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.TestDirectory;

/**
 * The table of cache modes, row by row: which calls on the host file a write, an fsync, a close and
 * an unmount cause. Alone, since a process that another test starts would close a copy of the
 * descriptor, which is a flush.
 */
@NeedsMounts
@Accelerator.BothWays
@Isolated
final class CacheTableTest {
  private static final long DISK_BYTES = 64 << 20;
  private static final int CLUSTER_BYTES = 64 << 10;
  private static final int WRITE_BYTES = 4096;

  /** Where the disk has data already, and so a write goes in place. */
  private static final int WRITTEN_CLUSTERS = 16;

  private final Path directory = TestDirectory.create("cache");
  private final Path image = directory.resolve("vm.qcow2");

  static CacheRow[] rows() {
    return CacheRow.all();
  }

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
  }

  @ParameterizedTest
  @MethodSource("rows")
  void anOverwriteGoesInPlaceAndAFlushAddsNoMetadata(CacheRow row) {
    createImage("");
    try (TracedMount mount = new TracedMount(image, row)) {
      settle(mount);
      long host = hostOffset(image, 0);

      List<HostCall> write = mount.callsOf(() -> mount.disk().write(bytes(1), 8192));
      List<HostCall> fsync = mount.callsOf(() -> mount.disk().fsync());
      mount.disk().write(bytes(2), 8192);
      List<HostCall> fdatasync = mount.callsOf(() -> mount.disk().fdatasync());
      mount.disk().write(bytes(3), 12288);
      List<HostCall> close = mount.callsOfClose();
      List<HostCall> sync = mount.callsOfWrite(DiskFile.SYNC, bytes(4), 8192);
      List<HostCall> dsync = mount.callsOfWrite(DiskFile.DSYNC, bytes(5), 8192);
      List<HostCall> direct = mount.callsOfWrite(DiskFile.DIRECT, bytes(6), 8192);
      List<HostCall> directSync =
          mount.callsOfWrite(DiskFile.DIRECT | DiskFile.DSYNC, bytes(7), 8192);

      HostCall data = new HostCall("pwrite", image, host + 8192, WRITE_BYTES);
      assertThat(write).isEqualTo(flushed(row.diskFlushesOfWrite(), data));
      assertThat(fsync).isEqualTo(flushed(row.diskFlushesOfFlush()));
      assertThat(fdatasync).isEqualTo(flushed(row.diskFlushesOfFlush()));
      assertThat(close).isEqualTo(flushed(row.diskFlushesOfFlush()));
      assertThat(sync).isEqualTo(flushed(row.diskFlushesOfSyncWrite(), data));
      assertThat(dsync).isEqualTo(flushed(row.diskFlushesOfSyncWrite(), data));
      assertThat(direct).isEqualTo(write);
      assertThat(directSync).isEqualTo(dsync);
      assertThat(mount.hasOpenDirectly(image)).isEqualTo(row.direct());
      assertUnmountIsClean(mount, row);
    }
  }

  /** The kernel does not ask for the flush there, since partitions are not cached. */
  @Test
  void aSynchronousWriteThroughAPartitionIsFlushedToo() {
    CacheRow row = CacheRow.all()[0];
    createImage("");
    try (TracedMount mount = new TracedMount(image, row)) {
      settle(mount);
      mount.disk().write(tableOfOnePartition(CLUSTER_BYTES / 512, 1024), 0);
      mount.disk().fsync();
      long host = hostOffset(image, 1);

      List<HostCall> plain = mount.callsOfWriteToPartition(DiskFile.PLAIN, bytes(1), 8192);
      List<HostCall> sync = mount.callsOfWriteToPartition(DiskFile.SYNC, bytes(2), 8192);
      List<HostCall> dsync = mount.callsOfWriteToPartition(DiskFile.DSYNC, bytes(3), 8192);

      HostCall data = new HostCall("pwrite", image, host + 8192, WRITE_BYTES);
      assertThat(plain).isEqualTo(flushed(row.diskFlushesOfWrite(), data));
      assertThat(sync).isEqualTo(flushed(row.diskFlushesOfSyncWrite(), data));
      assertThat(dsync).isEqualTo(flushed(row.diskFlushesOfSyncWrite(), data));
    }
  }

  private static byte[] tableOfOnePartition(int firstSector, int sectors) {
    ByteBuffer mbr = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
    mbr.put(446 + 4, (byte) 0x83).putInt(446 + 8, firstSector).putInt(446 + 12, sectors);
    return mbr.putShort(510, (short) 0xaa55).array();
  }

  @ParameterizedTest
  @MethodSource("rows")
  void anAllocatingWriteWritesDataOnlyAndMetadataWhenTheModeSaysSo(CacheRow row) {
    createImage("");
    try (TracedMount mount = new TracedMount(image, row)) {
      settle(mount);
      AtomicLong next = new AtomicLong(WRITTEN_CLUSTERS * CLUSTER_BYTES);

      List<HostCall> write = mount.callsOf(() -> mount.disk().write(bytes(1), next.get()));
      List<HostCall> fsync = mount.callsOf(() -> mount.disk().fsync());
      mount.disk().write(bytes(2), next.addAndGet(CLUSTER_BYTES));
      List<HostCall> fdatasync = mount.callsOf(() -> mount.disk().fdatasync());
      mount.disk().write(bytes(3), next.addAndGet(CLUSTER_BYTES));
      List<HostCall> close = mount.callsOfClose();
      List<HostCall> dsync =
          mount.callsOfWrite(DiskFile.DSYNC, bytes(4), next.addAndGet(CLUSTER_BYTES));

      assertDataFirst(write, row.writeWritesMetadata(), row.diskFlushesOfWrite());
      for (List<HostCall> flush : List.of(fsync, fdatasync, close)) {
        assertMetadata(flush, row.flushWritesMetadata(), row.diskFlushesOfFlush());
      }
      assertDataFirst(dsync, row.flush() != CacheRow.Depth.NOTHING, row.diskFlushesOfSyncWrite());
      assertUnmountIsClean(mount, row);
    }
  }

  /** What is not overwritten of a cluster is copied, and must be durable before its new place. */
  @ParameterizedTest
  @MethodSource("rows")
  void copyOnWriteAndDiscardWaitForTheDiskOnlyWhereTheModeDoes(CacheRow row) {
    createImage("");
    QemuImg.snapshot(image, "before");
    List<HostCall> all = new ArrayList<>();
    try (TracedMount mount = new TracedMount(image, row)) {
      for (int i = 0; i < WRITTEN_CLUSTERS; i++) {
        long offset = (long) i * CLUSTER_BYTES;
        all.addAll(mount.callsOf(() -> mount.disk().write(bytes(1), offset + 512)));
        all.addAll(mount.callsOf(() -> mount.disk().punchHole(offset, CLUSTER_BYTES)));
        all.addAll(mount.callsOf(() -> mount.disk().fsync()));
      }
      all.addAll(mount.callsOfUnmount());
    }

    boolean flushes = all.stream().anyMatch(HostCall::isDiskFlush);
    assertThat(flushes).isEqualTo(row.flush() == CacheRow.Depth.DISK);
    QemuImg.on(image, "check", "-q", image);
  }

  @ParameterizedTest
  @MethodSource("rows")
  void theExternalDataFileIsFlushedWithTheImage(CacheRow row) {
    Path data = directory.resolve("vm.data");
    createImage("data_file=vm.data");
    try (TracedMount mount = new TracedMount(image, row)) {
      settle(mount);
      long fresh = WRITTEN_CLUSTERS * CLUSTER_BYTES;

      List<HostCall> overwrite = mount.callsOf(() -> mount.disk().write(bytes(1), 8192));
      List<HostCall> fsync = mount.callsOf(() -> mount.disk().fsync());
      List<HostCall> allocating = mount.callsOf(() -> mount.disk().write(bytes(2), fresh));
      List<HostCall> secondFsync = mount.callsOf(() -> mount.disk().fsync());

      List<HostCall> flush =
          List.of(new HostCall("fdatasync", data, -1, 0), new HostCall("fdatasync", image, -1, 0));
      HostCall inPlace = new HostCall("pwrite", data, 8192, WRITE_BYTES);
      // A whole cluster: nobody says that a data file reads as zeros where nothing is.
      HostCall newCluster = new HostCall("pwrite", data, fresh, CLUSTER_BYTES);
      assertThat(overwrite).startsWith(inPlace).hasSize(1 + 2 * row.diskFlushesOfWrite());
      assertThat(allocating).startsWith(newCluster);
      if (row.flush() == CacheRow.Depth.DISK) {
        assertThat(row.eachWrite() ? overwrite : fsync).endsWith(flush.toArray(HostCall[]::new));
        assertThat(row.eachWrite() ? allocating : secondFsync)
            .endsWith(flush.toArray(HostCall[]::new));
      }
      if (row.diskFlushesOfFlush() == 0) {
        assertThat(List.of(fsync, secondFsync))
            .allMatch(c -> c.stream().noneMatch(HostCall::isDiskFlush));
      }
      assertThat(mount.hasOpenDirectly(image)).isEqualTo(row.direct());
      assertThat(mount.hasOpenDirectly(data)).isEqualTo(row.direct());
      assertUnmountIsClean(mount, row);
    }
  }

  @ParameterizedTest
  @MethodSource("rows")
  void aRawImageHasTheSameRowsWithoutMetadata(CacheRow row) {
    Path raw = QemuImg.createRaw(directory.resolve("vm.raw"), DISK_BYTES);
    try (TracedMount mount = new TracedMount(raw, row)) {
      List<HostCall> write = mount.callsOf(() -> mount.disk().write(bytes(1), 8192));
      List<HostCall> fsync = mount.callsOf(() -> mount.disk().fsync());
      mount.disk().write(bytes(2), 8192);
      List<HostCall> close = mount.callsOfClose();

      HostCall data = new HostCall("pwrite", raw, 8192, WRITE_BYTES);
      HostCall flush = new HostCall("fdatasync", raw, -1, 0);
      assertThat(write).isEqualTo(row.eachWrite() ? List.of(data, flush) : List.of(data));
      List<HostCall> expected = row.diskFlushesOfFlush() == 1 ? List.of(flush) : List.of();
      assertThat(fsync).isEqualTo(expected);
      assertThat(close).isEqualTo(expected);
      assertThat(mount.hasOpenDirectly(raw)).isEqualTo(row.direct());
      var unused = mount.callsOfUnmount();
    }
  }

  private void createImage(String options) {
    QemuImg.create(image, options, DISK_BYTES);
    new QemuIo().write(0x55, 0, (long) WRITTEN_CLUSTERS * CLUSTER_BYTES).run(image);
  }

  /** The first allocation reserves clusters ahead; what follows is the steady state. */
  private static void settle(TracedMount mount) {
    mount.disk().write(bytes(9), DISK_BYTES / 2);
    mount.disk().fsync();
    mount.disk().write(bytes(9), DISK_BYTES / 2 + CLUSTER_BYTES);
    mount.disk().fsync();
  }

  private static byte[] bytes(int value) {
    byte[] bytes = new byte[WRITE_BYTES];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  /** The calls that are expected, followed by so many flushes of the image. */
  private List<HostCall> flushed(int diskFlushes, HostCall... calls) {
    List<HostCall> all = new ArrayList<>(List.of(calls));
    for (int i = 0; i < diskFlushes; i++) {
      all.add(new HostCall("fdatasync", image, -1, 0));
    }
    return all;
  }

  /** One write of the data, then what belongs to the second part. */
  private void assertDataFirst(List<HostCall> calls, boolean metadata, int diskFlushes) {
    assertThat(calls).isNotEmpty();
    assertThat(calls.get(0).isWrite()).as("%s", calls).isTrue();
    assertThat(calls.get(0).bytes()).as("%s", calls).isEqualTo(WRITE_BYTES);
    assertMetadata(calls.subList(1, calls.size()), metadata, diskFlushes);
  }

  /** The L2 table is written or nothing is, and the flush to disk comes behind every write. */
  private void assertMetadata(List<HostCall> calls, boolean metadata, int diskFlushes) {
    List<HostCall> writes = calls.stream().filter(HostCall::isWrite).toList();
    if (metadata) {
      long l2Table = ImageEditor.read(image, editor -> editor.l2(0));
      assertThat(writes).anyMatch(call -> call.writesWithin(l2Table, CLUSTER_BYTES));
    } else {
      assertThat(writes).isEmpty();
    }
    List<HostCall> flushes = calls.stream().filter(HostCall::isDiskFlush).toList();
    assertThat(flushes).as("%s", calls).isEqualTo(flushed(diskFlushes));
    if (diskFlushes > 0) {
      assertThat(calls.get(calls.size() - 1).isDiskFlush()).as("%s", calls).isTrue();
    }
  }

  /** Whatever was held back is written now; and the modes that never wait for the disk do not. */
  private void assertUnmountIsClean(TracedMount mount, CacheRow row) {
    List<HostCall> calls = mount.callsOfUnmount();
    if (row.flush() == CacheRow.Depth.NOTHING) {
      assertThat(calls).as("what volatile held back").anyMatch(HostCall::isWrite);
    }
    if (row.flush() != CacheRow.Depth.DISK) {
      assertThat(calls).noneMatch(HostCall::isDiskFlush);
    }
    QemuImg.on(image, "check", "-q", image);
  }

  private static long hostOffset(Path image, int l2Index) {
    return ImageEditor.read(image, editor -> editor.cluster(l2Index));
  }
}
