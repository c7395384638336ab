package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.qcowfs.check.ImageCheck;
import org.qcowfs.testkit.OpenFiles;

/**
 * Does with an image what users do, as far as it lets itself be used. Whatever the image says, the
 * answer is bytes or an {@code IOException} that names the file, and what it costs is bounded.
 */
final class HostileUse {
  /** In MiB; code that a fuzzer has instrumented allocates more, and is given more. */
  private static final long MAX_ALLOCATED_BYTES = Long.getLong("qcowfs.hostile.mib", 64) << 20;

  /** Such code takes longer, too. */
  private static final long MAX_CPU_NANOS =
      Long.getLong("qcowfs.hostile.seconds", 2) * 1_000_000_000;

  private static final int MAX_READ_BYTES = 1 << 18;

  private static final int MAX_SNAPSHOTS = 20;

  /** More of a disk than this is not read as a whole. */
  private static final long SMALL_DISK_BYTES = 4 << 20;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final Path file;
  private final SplittableRandom random;
  private Optional<byte[]> disk = Optional.empty();
  private boolean opened;
  private boolean stopped;

  /** What one use has cost. */
  record Cost(long allocatedBytes, long cpuNanos) {
    Cost max(Cost other) {
      return new Cost(
          Math.max(allocatedBytes, other.allocatedBytes), Math.max(cpuNanos, other.cpuNanos));
    }
  }

  /** A use of the image. */
  @FunctionalInterface
  interface Use {
    void of(HostileUse user) throws IOException;
  }

  HostileUse(Path file, long seed) {
    this.file = file;
    this.random = new SplittableRandom(seed);
  }

  /** Runs a use, and holds it to its budget. It leaves no file open. */
  Cost measured(Use use) throws IOException {
    long allocated = THREADS.getCurrentThreadAllocatedBytes();
    long cpu = THREADS.getCurrentThreadCpuTime();
    use.of(this);
    Cost cost =
        new Cost(
            THREADS.getCurrentThreadAllocatedBytes() - allocated,
            THREADS.getCurrentThreadCpuTime() - cpu);
    assertThat(cost.allocatedBytes()).as("bytes allocated").isLessThan(MAX_ALLOCATED_BYTES);
    assertThat(cost.cpuNanos()).as("CPU time in ns").isLessThan(MAX_CPU_NANOS);
    assertThat(OpenFiles.countIn(file.getParent())).as("files left open").isZero();
    return cost;
  }

  /** The whole disk, if it is small and {@link #read} could read it. */
  Optional<byte[]> disk() {
    return disk;
  }

  /** Opens the image for reading, and reads here and there in its disk and its snapshots. */
  void read() throws IOException {
    try {
      Images.info(file, OpenOptions.defaults());
    } catch (IOException refused) {
      checkWords(refused);
    }
    Image image;
    try {
      image = Images.open(file, OpenOptions.defaults());
    } catch (IOException refused) {
      checkWords(refused);
      return;
    }
    try (image) {
      readDevice(image.disk());
      List<InternalSnapshot> snapshots = image.snapshots();
      // A table of garbage may name thousands.
      for (InternalSnapshot snapshot :
          snapshots.subList(0, Math.min(MAX_SNAPSHOTS, snapshots.size()))) {
        try {
          readDevice(image.openSnapshot(snapshot));
        } catch (IOException refused) {
          checkWords(refused);
        }
      }
      disk = wholeDisk(image.disk());
    }
  }

  private Optional<byte[]> wholeDisk(BlockDevice device) {
    if (device.size() > SMALL_DISK_BYTES) {
      return Optional.empty();
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) device.size());
    try {
      device.read(bytes, 0);
      return Optional.of(bytes.array());
    } catch (IOException refused) {
      checkWords(refused);
      return Optional.empty();
    }
  }

  private void readDevice(BlockDevice device) {
    for (int i = 0; i < 6; i++) {
      int length = (int) Math.min(device.size(), random.nextInt(MAX_READ_BYTES));
      try {
        device.read(ByteBuffer.allocateDirect(length), place(device, length));
      } catch (IOException refused) {
        checkWords(refused);
      }
    }
    try {
      long[] at = {0};
      device.extents(0, device.size(), extent -> at[0] += extent.length());
      assertThat(at[0]).as("end of the extents").isEqualTo(device.size());
    } catch (IOException refused) {
      checkWords(refused);
    }
  }

  private long place(BlockDevice device, int length) {
    long last = device.size() - length;
    return switch (random.nextInt(4)) {
      case 0 -> last;
      case 1 -> 0;
      default -> last == 0 ? 0 : random.nextLong(last);
    };
  }

  /** Checks the image; every other one is repaired, too. */
  void check() throws IOException {
    try {
      Images.check(
          file,
          OpenOptions.defaults(),
          random.nextBoolean() ? Images.Repair.NONE : Images.Repair.ALL,
          ImageCheck.Progress.SILENT);
    } catch (IOException refused) {
      checkWords(refused);
    }
  }

  /** Opens the image for writing, changes it in every way, and closes it. */
  void write() throws IOException {
    Image image;
    try {
      image =
          Images.open(
              file,
              OpenOptions.defaults()
                  .withWrite(new WriteOptions(CacheMode.UNSAFE, true, Optional.empty())));
    } catch (IOException refused) {
      checkWords(refused);
      return;
    }
    opened = true;
    try (image) {
      for (int i = 0; i < 8; i++) {
        try {
          change(image.disk());
        } catch (IOException refused) {
          checkWords(refused);
        }
      }
      image.disk().flush();
      stopped = image.writeStop().isPresent();
    } catch (IOException notClean) {
      stopped = true;
      checkWords(notClean);
    }
  }

  /** Whether {@link #write} was let in, and ended as if nothing were wrong with the image. */
  boolean changedWithoutComplaint() {
    return opened && !stopped;
  }

  private void change(BlockDevice device) throws IOException {
    int length = (int) Math.min(device.size(), random.nextInt(1, 40_000));
    if (length == 0) {
      return;
    }
    long offset = place(device, length);
    switch (random.nextInt(6)) {
      case 0 -> device.writeZeroes(offset, length, ZeroMode.UNMAP);
      case 1 -> device.writeZeroes(offset, length, ZeroMode.KEEP);
      case 2 -> device.flush();
      default -> {
        ByteBuffer bytes = ByteBuffer.allocateDirect(length);
        bytes.put(0, (byte) 0x5a);
        device.write(bytes, offset);
      }
    }
  }

  private void checkWords(IOException refused) {
    assertThat(refused).hasMessageContaining(String.valueOf(file.getFileName()));
    assertThat(refused.getMessage()).as("one line").doesNotContain("\n");
  }
}
