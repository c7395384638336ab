package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.testkit.QemuTools;
import org.qcowfs.testkit.hostile.HostileImage;

/**
 * Images made to harm. {@code -Dqcowfs.hostile.images=100000} for the long run, {@code
 * -Dqcowfs.seed=N} for the first seed: what a failure prints repeats it alone with {@code
 * -Dqcowfs.hostile.images=1}.
 */
@Timeout(value = 4, unit = TimeUnit.HOURS)
final class HostileImageTest {
  private static final long SEED = Long.getLong("qcowfs.seed", 20_261_120L);
  private static final int IMAGES = Integer.getInteger("qcowfs.hostile.images", 3000);

  /** Of every so many images that can be read, one is compared with what QEMU reads. */
  private static final int COMPARED = 20;

  /** A long run goes on after a failure, but not for ever. */
  private static final int FAILURES_MAX = 100;

  @TempDir private Path directory;

  private int opened;
  private int compared;
  private int changed;
  private HostileUse.Cost most = new HostileUse.Cost(0, 0);
  private long mostAllocatedSeed;

  @Test
  void anImageMadeToHarmGivesRightBytesOrAnIoException() throws IOException {
    List<String> failures = new ArrayList<>();
    for (int i = 0; i < IMAGES && failures.size() < FAILURES_MAX; i++) {
      HostileImage hostile = HostileImage.of(SEED + i);
      try {
        use(hostile, IMAGES == 1 || i % COMPARED == 0);
      } catch (IOException | RuntimeException | Error e) {
        if (IMAGES == 1) {
          throw new AssertionError(hostile.changes(), e);
        }
        failures.add(
            "-Dqcowfs.seed=%d -Dqcowfs.hostile.images=1: %s %s"
                .formatted(hostile.seed(), hostile.changes(), e.getMessage()));
        System.out.println(failures.get(failures.size() - 1));
      }
    }
    System.out.printf(
        "hostile images: %d from seed %d; %d could be read whole, %d of them compared with what"
            + " QEMU reads; %d could be written to; at most %d KiB (seed %d) and"
            + " %d ms of CPU for one%n",
        IMAGES,
        SEED,
        opened,
        compared,
        changed,
        most.allocatedBytes() >> 10,
        mostAllocatedSeed,
        most.cpuNanos() / 1_000_000);
    assertThat(failures)
        .as("images that did harm; each is repeated by what stands before it")
        .isEmpty();
    assertThat(IMAGES == 1 || opened > IMAGES / 20).as("some could be read").isTrue();
    assertThat(IMAGES == 1 || changed > IMAGES / 20).as("some could be written to").isTrue();
    assertThat(IMAGES == 1 || compared > 0).as("some were compared").isTrue();
  }

  @ParameterizedTest
  @ValueSource(longs = {91_001_167, 92_002_134, 92_014_749, 93_046_395, 93_056_056, 93_066_038})
  void anImageThatOnceWasHarmedIsNoLonger(long seed) throws IOException {
    use(HostileImage.of(seed), true);
  }

  private void use(HostileImage hostile, boolean askQemu) throws IOException {
    Path file = hostile.writeTo(directory.resolve("hostile.qcow2"));
    HostileUse user = new HostileUse(file, hostile.seed());
    note(user.measured(HostileUse::read), hostile.seed());
    if (user.disk().isPresent()) {
      opened++;
      if (askQemu) {
        compare(user.disk().get());
      }
    }
    Optional<Corruptions> before = Corruptions.of(file);
    note(user.measured(HostileUse::write), hostile.seed());
    if (user.changedWithoutComplaint() && before.isPresent()) {
      changed++;
      Optional<Corruptions> after = Corruptions.of(file);
      assertThat(after.isEmpty() || after.get().isNoWorseThan(before.get()))
          .as("no worse after a change: %s, before: %s", after, before)
          .isTrue();
    }
    note(user.measured(HostileUse::check), hostile.seed());
    Files.delete(file);
  }

  private void note(HostileUse.Cost cost, long seed) {
    if (cost.allocatedBytes() > most.allocatedBytes()) {
      mostAllocatedSeed = seed;
    }
    most = most.max(cost);
  }

  /** What QEMU can read too, it reads the same. */
  private void compare(byte[] ours) throws IOException {
    QemuTools.Answer answer =
        QemuTools.run(
            directory,
            List.of(
                "qemu-img", "convert", "-f", "qcow2", "-O", "raw", "hostile.qcow2", "qemu.raw"));
    Path theirs = directory.resolve("qemu.raw");
    if (answer.exitCode() == 0) {
      compared++;
      // QEMU knows whole sectors only: it leaves out what the size says behind the last one.
      assertThat(Files.readAllBytes(theirs))
          .as("what QEMU reads")
          .isEqualTo(Arrays.copyOf(ours, ours.length / 512 * 512));
    }
    Files.deleteIfExists(theirs);
  }
}
