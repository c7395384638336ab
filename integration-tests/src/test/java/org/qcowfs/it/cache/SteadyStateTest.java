package org.qcowfs.it.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.TestDirectory;

/** What an fsync after each allocating write costs, where there are many. */
@NeedsMounts
@Isolated
final class SteadyStateTest {
  private static final int WRITES = 1000;
  private static final int WRITE_BYTES = 4096;
  private static final int MOST_FLUSHES = WRITES * 11 / 10;

  private final Path directory = TestDirectory.create("steady");

  @ParameterizedTest
  @CsvSource({"writeback, 65536", "none, 4096"})
  void anFsyncAfterAnAllocatingWriteCostsOneFlushToDisk(String mode, int clusterBytes) {
    Path image =
        QemuImg.create(directory.resolve("vm.qcow2"), "cluster_size=" + clusterBytes, 128 << 20);
    CacheRow row =
        Arrays.stream(CacheRow.all()).filter(r -> r.mode().equals(mode)).findFirst().orElseThrow();
    try (TracedMount mount = new TracedMount(image, row)) {
      byte[] bytes = new byte[WRITE_BYTES];
      Arrays.fill(bytes, (byte) 0x42);

      List<HostCall> calls =
          mount.callsOf(
              () -> {
                for (int i = 0; i < WRITES; i++) {
                  mount.disk().write(bytes, (long) i * clusterBytes);
                  mount.disk().fdatasync();
                }
              });

      long flushes = calls.stream().filter(HostCall::isDiskFlush).count();
      System.out.printf(
          "%s, clusters of %d bytes: %d allocating writes with fdatasync, %d flushes to disk%n",
          mode, clusterBytes, WRITES, flushes);
      assertThat(flushes).isBetween((long) WRITES, (long) MOST_FLUSHES);
      var unused = mount.callsOfUnmount();
    }
    QemuImg.on(image, "check", "-q", image);
    TestDirectory.delete(directory);
  }
}
