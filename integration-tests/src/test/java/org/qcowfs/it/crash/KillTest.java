package org.qcowfs.it.crash;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.qcowfs.it.kit.Accelerator;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Seed;

/**
 * The daemon is killed under load, again and again. Each time QEMU finds the image whole; nothing
 * is lost that was acknowledged as flushed; and the next mount that writes gives back what leaked.
 *
 * <p>{@code -Dqcowfs.it.kills=N} sets how many kills there are.
 */
@NeedsMounts
@Accelerator.BothWays
@Execution(ExecutionMode.CONCURRENT)
final class KillTest {
  private static final int KILLS = Integer.getInteger("qcowfs.it.kills", 18);

  /** An image lives long enough to meet what earlier crashes have left in it. */
  private static final int KILLS_OF_A_LIFE = 3;

  private static final List<String> MODES =
      List.of("writeback", "none", "writethrough", "directsync", "unsafe", "volatile");

  private static final Map<String, AtomicLong> COUNTS = new ConcurrentSkipListMap<>();

  private static void count(String what, long number) {
    COUNTS.computeIfAbsent(what, key -> new AtomicLong()).addAndGet(number);
  }

  /** Every mode before any comes again, each time with another shape of image. */
  static Stream<Arguments> lives() {
    CrashImage.Shape[] shapes = CrashImage.Shape.values();
    int count = Math.min(Math.max(1, KILLS / KILLS_OF_A_LIFE), MODES.size() * shapes.length);
    List<Arguments> lives = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String mode = MODES.get(i % MODES.size());
      CrashImage.Shape shape = shapes[(i + i / MODES.size()) % shapes.length];
      lives.add(Arguments.of(mode, shape, KILLS / count + (i < KILLS % count ? 1 : 0)));
    }
    return lives.stream();
  }

  @ParameterizedTest(name = "cache={0} {1}: {2} kills")
  @MethodSource("lives")
  void nothingThatWasFlushedIsLostAndTheImageStaysWhole(
      String mode, CrashImage.Shape shape, int kills) {
    SplittableRandom random = Seed.random("kill " + mode + shape);
    try (CrashImage image = new CrashImage(shape)) {
      for (int i = 0; i < kills; i++) {
        try (MountedImage mount = mount(image, mode)) {
          image.log().verify(mount.disk());
          kill(mount, image.log(), mode, random);
        }
        count("of them cache=" + mode, 1);
        count("images then " + image.check(), 1);
        if (i == kills - 1 || random.nextBoolean()) {
          endInOrder(image, mode);
        }
      }
    }
  }

  private static void endInOrder(CrashImage image, String mode) {
    try (MountedImage mount = mount(image, mode)) {
      image.log().verify(mount.disk());
    }
    image.assertSound();
    count("clean unmounts", 1);
  }

  private static MountedImage mount(CrashImage image, String mode) {
    return MountedImage.mount(image.image(), "rw", "cache=" + mode);
  }

  private static void kill(
      MountedImage mount, SectorLog log, String mode, SplittableRandom random) {
    ProcessHandle daemon = mount.daemon();
    GuestLoad load =
        new GuestLoad(log, GuestLoad.Promise.of(mode), 1 + random.nextInt(16 << random.nextInt(7)));
    load.start(mount, random.nextBoolean(), random);
    load.awaitLimit();
    load.expectEnd();
    daemon.destroyForcibly();
    Command.awaitEnd(daemon);
    load.join();
    if (random.nextBoolean()) {
      Command.of("fusermount", "-u", mount.mountpoint()).run().succeeded();
      mount.wasEnded();
    }
    count("kills", 1);
    count("operations", load.operations());
    count("flushes", load.flushes());
  }

  @AfterAll
  static void report() {
    System.out.println("kill test: " + COUNTS);
  }
}
