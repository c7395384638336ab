package org.qcowfs.it.crash;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.it.kit.Await;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Seed;
import org.qcowfs.it.kit.StoppedProcess;

/** Signals reach the daemon while programs write. */
@NeedsMounts
final class SignalUnderLoadTest {
  private static final int OPERATIONS = 200;

  private static void signal(String name, ProcessHandle process) {
    Command.of("kill", "-" + name, process.pid()).run().succeeded();
  }

  @ParameterizedTest
  @CsvSource({
    "TERM, writeback, true",
    "TERM, volatile, false",
    "INT, none, false",
    "HUP, unsafe, true",
  })
  void everyWriteThatWasAcknowledgedBeforeASignalIsInTheImage(
      String signal, String mode, boolean throughPartitions) {
    try (CrashImage image = new CrashImage(CrashImage.Shape.PLAIN)) {
      try (MountedImage mount = MountedImage.mount(image.image(), "rw", "cache=" + mode)) {
        ProcessHandle daemon = mount.daemon();
        GuestLoad load = new GuestLoad(image.log(), GuestLoad.Promise.ACKNOWLEDGED, OPERATIONS);
        load.start(mount, throughPartitions, Seed.random(signal + mode));
        load.awaitLimit();

        load.expectEnd();
        signal(signal, daemon);

        Command.awaitEnd(daemon);
        load.join();
        mount.wasEnded();
      }
      image.assertSound();
    }
  }

  @Test
  void whileTheDaemonIsStoppedWritersWaitAndThenGoOn() throws Exception {
    try (CrashImage image = new CrashImage(CrashImage.Shape.PLAIN)) {
      try (MountedImage mount = MountedImage.mount(image.image(), "rw")) {
        ProcessHandle daemon = mount.daemon();
        GuestLoad load = new GuestLoad(image.log(), GuestLoad.Promise.ACKNOWLEDGED, OPERATIONS);
        load.start(mount, true, Seed.random("stop"));
        load.awaitLimit();
        FutureTask<byte[]> reader =
            new FutureTask<>(() -> Files.readAllBytes(mount.file(".qcowfs/info.json")));

        try (StoppedProcess stopped = StoppedProcess.stop(daemon)) {
          new Thread(reader, "reader").start();
          assertThatExceptionOfType(TimeoutException.class)
              .as("a stopped daemon answers nobody")
              .isThrownBy(() -> reader.get(50, MILLISECONDS));
          assertThat(stopped.isStopped()).isTrue();
        }

        assertThat(reader.get()).isNotEmpty();
        long before = load.operations();
        Await.until("writers go on", () -> load.operations() > before + OPERATIONS);
        load.stop();
        load.join();
        image.log().verify(mount.disk());
      }
      image.assertSound();
    }
  }
}
