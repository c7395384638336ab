package org.qcowfs.it.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.CommandResult;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.TestDirectory;

/** The daemon has too little memory for what it is told to do. */
@NeedsMounts
final class ScarceMemoryTest {
  private static final int SECTOR = 512;
  private static final int WRITERS = 4;

  private final Path directory = TestDirectory.create("memory");
  private final Path image = directory.resolve("vm.qcow2");
  private final Path mountpoint = TestDirectory.create("mnt");
  private final Set<Integer> acknowledged = ConcurrentHashMap.newKeySet();
  private final Set<Integer> flushed = ConcurrentHashMap.newKeySet();
  private final Queue<String> errors = new ConcurrentLinkedQueue<>();

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
    TestDirectory.delete(mountpoint);
  }

  @ParameterizedTest
  @CsvSource({
    // Caches take no more than there is.
    "-Xmx12m, 'l2_cache_size=1G,threads=32', cluster_size=4k, 2097152, 2000, false",
    "-Xmx12m, 'refcount_cache_size=1G,l2_cache_size=1G', 'cluster_size=512,refcount_bits=64',"
        + " 32768, 6000, false",
    // No memory to copy a cluster.
    "-Xmx12m -XX:MaxDirectMemorySize=2m, threads=32, cluster_size=2M, 4194304, 5, true",
    // No memory to flush 512 tables at once.
    "-Xmx24m -XX:MaxDirectMemorySize=2m, l2_cache_size=1G, cluster_size=4k, 2097152, 1030, true",
  })
  void whoeverCannotBeServedIsToldAndTheImageStaysWhole(
      String heap, String options, String create, long step, int count, boolean isTooLittle)
      throws IOException {
    Path base = QemuImg.create(directory.resolve("base.qcow2"), create, step * count);
    QemuImg.on(
        image, "create", "-q", "-f", "qcow2", "-o", create, "-b", base, "-F", "qcow2", image);
    Command command =
        Qcowfs.mountCommand(image, mountpoint, "rw", options, "flush_interval=0")
            .env("QCOWFS_JAVA_OPTS", heap);
    try (MountedImage mount = MountedImage.mountBy(command, mountpoint)) {
      load(mount, step, count);
      System.out.printf(
          "scarce memory: %s %s: %d errors, %d acknowledged, %d of them flushed%n",
          heap, options, errors.size(), acknowledged.size(), flushed.size());
      assertThat(errors).allMatch(e -> e.contains("Cannot allocate memory"));
      assertThat(errors.isEmpty()).isNotEqualTo(isTooLittle);
      if (isTooLittle) {
        assertThat(Files.readString(mount.log())).contains("OutOfMemoryError");
      }
      CommandResult end = Qcowfs.run("umount", mountpoint);
      mount.wasEnded();
      if (end.exitCode() != 0) {
        assertThat(end.refused()).contains("memory");
        acknowledged.retainAll(flushed);
      }
    }
    assertThat(Command.of("qemu-img", "check", "-q", image).run().exitCode()).isIn(0, 3);
    try (MountedImage again = MountedImage.mount(image, "rw")) {
      verify(again, step, count);
    }
    QemuImg.on(image, "check", "-q", image);
  }

  /** Each operation writes one sector of its own, far from the others. */
  private void load(MountedImage mount, long step, int count) throws IOException {
    try (FileChannel disk = FileChannel.open(mount.disk(), StandardOpenOption.WRITE)) {
      AtomicInteger next = new AtomicInteger();
      IntStream.range(0, WRITERS).parallel().forEach(writer -> write(disk, next, step, count));
    } catch (IOException e) {
      errors.add(String.valueOf(e.getMessage())); // close(2) flushes, too
    }
  }

  /** Flushes less and less often. */
  private void write(FileChannel disk, AtomicInteger next, long step, int count) {
    for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
      write(disk, i, step);
      if (Integer.bitCount(i) == 1) {
        flush(disk);
      }
    }
  }

  private void write(FileChannel disk, int number, long step) {
    try {
      disk.write(sector(number), number * step);
      acknowledged.add(number);
    } catch (IOException e) {
      errors.add(String.valueOf(e.getMessage()));
    }
  }

  private void flush(FileChannel disk) {
    Set<Integer> before = new TreeSet<>(acknowledged);
    try {
      disk.force(true);
      flushed.addAll(before);
    } catch (IOException e) {
      errors.add(String.valueOf(e.getMessage()));
    }
  }

  private static ByteBuffer sector(int number) {
    ByteBuffer bytes = ByteBuffer.allocate(SECTOR);
    while (bytes.hasRemaining()) {
      bytes.putInt(number + 1);
    }
    return bytes.flip();
  }

  private void verify(MountedImage mount, long step, int count) {
    try (FileChannel disk = FileChannel.open(mount.disk())) {
      for (int i = 0; i < count; i++) {
        ByteBuffer read = ByteBuffer.allocate(SECTOR);
        disk.read(read, i * step);
        boolean isNew = read.flip().equals(sector(i));
        boolean isOld = read.equals(ByteBuffer.allocate(SECTOR));
        assertThat(isNew || (isOld && !acknowledged.contains(i))).as("sector %d", i).isTrue();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
