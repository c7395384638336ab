package org.qcowfs.it.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.TestDirectory;

/** The host's disk answers with errors. */
@NeedsMounts
final class BrokenHostTest {
  private static final int CLUSTER = 64 << 10;
  private static final long SIZE = 32 << 20;
  private static final int SECTOR = 512;

  /** Clusters that the image has from the start. */
  private static final int OLD_CLUSTERS = 16;

  private static final int OLD = 0x55;

  private final Path directory = TestDirectory.create("fault");
  private final Path image = QemuImg.create(directory.resolve("vm.qcow2"), "", SIZE);

  BrokenHostTest() {
    new QemuIo().write(OLD, 0, (long) OLD_CLUSTERS * CLUSTER).run(image);
  }

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
  }

  private static FileChannel open(MountedImage mount) throws IOException {
    return FileChannel.open(mount.disk(), StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static byte[] cluster(int value) {
    byte[] bytes = new byte[CLUSTER];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static void write(FileChannel disk, int value, int cluster) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(cluster(value));
    assertThat(disk.write(bytes, (long) cluster * CLUSTER)).isEqualTo(CLUSTER);
  }

  private static void assertHolds(Path disk, int cluster, int value) {
    DiskBytes.assertHolds(disk, (long) cluster * CLUSTER, cluster(value));
  }

  /** At most leaks. */
  private void checkFile() {
    int code = Command.of("qemu-img", "check", "-q", "-f", "qcow2", image).run().exitCode();
    assertThat(code).as("qemu-img check: 0 is clean, 3 leaks").isIn(0, 3);
  }

  private long hostSector(int cluster) {
    for (JsonNode extent : QemuImg.map(image)) {
      long within = (long) cluster * CLUSTER - extent.get("start").asLong();
      if (within >= 0 && within < extent.get("length").asLong()) {
        return (extent.get("offset").asLong() + within) / SECTOR;
      }
    }
    throw new AssertionError("cluster %d is not allocated".formatted(cluster));
  }

  @ParameterizedTest
  @CsvSource({
    "5, Input/output error, writeback",
    "28, No space left, writeback",
    "5, Input/output error, writethrough",
  })
  void aWriterSeesTheHostsErrorAndEverythingElseGoesOn(int errno, String words, String mode)
      throws IOException {
    String fault =
        "\"inject-error\":[{\"event\":\"none\",\"iotype\":\"write\",\"errno\":%d,"
            + "\"sector\":%d,\"once\":false}]";
    try (FaultyHost host = FaultyHost.showing(image, fault.formatted(errno, hostSector(3)))) {
      try (MountedImage mount = MountedImage.mount(host.image(), "rw", "cache=" + mode);
          FileChannel disk = open(mount)) {
        write(disk, 1, 2);
        assertThatIOException().isThrownBy(() -> write(disk, 1, 3)).withMessageContaining(words);
        write(disk, 1, 4);
        write(disk, 1, 100);
        disk.force(true);
        assertHolds(mount.disk(), 100, 1);
      }
      try (MountedImage mount = MountedImage.mount(host.image(), "rw")) {
        assertHolds(mount.disk(), 2, 1);
        assertHolds(mount.disk(), 3, OLD);
        assertHolds(mount.disk(), 4, 1);
        assertHolds(mount.disk(), 100, 1);
      }
    }
    checkFile();
  }

  @Test
  void aReaderSeesTheHostsErrorAndEverythingElseGoesOn() throws IOException {
    String fault =
        "\"inject-error\":[{\"event\":\"none\",\"iotype\":\"read\",\"errno\":5,"
            + "\"sector\":%d,\"once\":false}]";
    try (FaultyHost host = FaultyHost.showing(image, fault.formatted(hostSector(3)));
        MountedImage mount = MountedImage.mount(host.image(), "rw");
        FileChannel disk = open(mount)) {
      assertThatIOException()
          .isThrownBy(() -> disk.read(ByteBuffer.allocate(SECTOR), 3L * CLUSTER))
          .withMessageContaining("Input/output error");
      assertHolds(mount.disk(), 12, OLD);
      write(disk, 1, 12);
      assertHolds(mount.disk(), 12, 1);
    }
    checkFile();
  }

  /**
   * The host fails once, and would say success afterwards: but what it lost stays lost. The first
   * write that allocates flushes twice, to note in the header what a crash may leak.
   */
  @ParameterizedTest
  @ValueSource(ints = {3, 5})
  void afterAFailedFlushNothingIsWrittenUntilTheNextMount(int flushesBefore) throws IOException {
    try (FaultyHost host = FaultyHost.showing(image, failingFlush(1 + flushesBefore))) {
      MountedImage mount = MountedImage.mount(host.image(), "rw", "flush_interval=0");
      int flushed = 0;
      boolean stopped = false;
      try (FileChannel disk = open(mount)) {
        flushed = writeUntilAFlushFails(disk);
        assertThatIOException().isThrownBy(() -> disk.force(true));
        assertThatIOException().isThrownBy(() -> write(disk, 1, 0));
        assertThatIOException().isThrownBy(() -> disk.force(false));
        assertHolds(mount.disk(), OLD_CLUSTERS - 1, OLD);
        stopped = true;
      } catch (IOException e) {
        assertThat(e).as("close(2) flushes too").hasMessageContaining("Input/output error");
      }
      assertThat(stopped).as("every step before the close was taken").isTrue();
      assertThat(Qcowfs.run("umount", mount.mountpoint()).refused())
          .contains("flush")
          .contains("Input/output error");
      assertThat(Files.readString(mount.log())).contains("no longer written to");
      mount.wasEnded();
      mount.close();

      try (MountedImage again = MountedImage.mount(host.image(), "rw");
          FileChannel disk = open(again)) {
        for (int i = 0; i < flushed; i++) {
          assertHolds(again.disk(), OLD_CLUSTERS + i, i + 1);
        }
        write(disk, 7, 0);
        disk.force(true);
      }
    }
    checkFile();
    assertHolds(QemuImg.toRaw(image), 0, 7);
  }

  /** Returns how many new clusters were flushed. */
  private static int writeUntilAFlushFails(FileChannel disk) throws IOException {
    for (int i = 0; i < 20; i++) {
      write(disk, i + 1, OLD_CLUSTERS + i);
      try {
        disk.force(false);
      } catch (IOException e) {
        assertThat(e).hasMessageContaining("Input/output error");
        return i;
      }
    }
    throw new AssertionError("no flush failed");
  }

  /** Faults by which only the n-th flush fails. */
  private static String failingFlush(int number) {
    StringBuilder states = new StringBuilder();
    for (int state = 1; state < number; state++) {
      states.append(
          "%s{\"event\":\"flush_to_disk\",\"state\":%d,\"new_state\":%d}"
              .formatted(state == 1 ? "" : ",", state, state + 1));
    }
    return ("\"set-state\":[%s],\"inject-error\":[{\"event\":\"flush_to_disk\",\"iotype\":\"flush\","
                + "\"errno\":5,\"state\":%d,\"once\":true}]")
        .formatted(states, number);
  }
}
