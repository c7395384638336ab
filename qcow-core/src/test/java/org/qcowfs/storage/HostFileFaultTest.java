package org.qcowfs.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.error.HostIoException;

/** A host that fails, takes little at a time, or cannot do what it is asked for. */
final class HostFileFaultTest {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;
  private Path path;

  @BeforeEach
  void createAFile() throws IOException {
    path = Files.createFile(directory.resolve("image"));
  }

  private static final class FlushFails extends ForwardingCalls {
    private final AtomicInteger flushes = new AtomicInteger();

    FlushFails(int fd) {
      super(fd);
    }

    @Override
    public void fdatasync() throws HostIoException {
      if (flushes.incrementAndGet() == 1) {
        throw new HostIoException(Posix.EIO, "flush to disk failed: Input/output error");
      }
    }
  }

  @Test
  void aFlushThatDidNotComeToItsEndCountsAsFailed() throws IOException {
    IntFunction<FileCalls> starved =
        fd ->
            new ForwardingCalls(fd) {
              @Override
              public void fdatasync() {
                throw new OutOfMemoryError("as told");
              }
            };
    try (HostFile file = HostFile.openReadWrite(path, starved)) {
      assertThatThrownBy(file::flushToDisk).isInstanceOf(OutOfMemoryError.class);

      assertThatThrownBy(() -> file.write(ByteBuffer.allocate(1), 0))
          .asInstanceOf(type(HostIoException.class))
          .satisfies(e -> assertThat(e.errno()).isEqualTo(Posix.EIO));
    }
  }

  @Test
  void aFailedFlushFailsEveryLaterChangeAndFlushForGood() throws IOException {
    try (HostFile file = HostFile.openReadWrite(path, FlushFails::new)) {
      file.write(ByteBuffer.wrap(new byte[] {1}), 0);

      assertThatThrownBy(file::flushToDisk)
          .hasMessage(path + ": flush to disk failed: Input/output error");

      String reason = ": no longer written to, since an earlier flush to disk failed";
      List<ThrowingCallable> changes =
          List.of(
              file::flushToDisk,
              file::checkSound,
              () -> file.write(ByteBuffer.allocate(1), 0),
              () -> file.write(new ByteBuffer[] {ByteBuffer.allocate(1)}, 0),
              () -> file.resize(7),
              () -> file.punchHole(0, 1),
              () -> file.zeroRange(0, 1),
              () -> file.allocate(0, 1));
      for (ThrowingCallable change : changes) {
        assertThatThrownBy(change)
            .hasMessageStartingWith(path + reason)
            .asInstanceOf(type(HostIoException.class))
            .satisfies(e -> assertThat(e.errno()).isEqualTo(Posix.EIO));
      }
      ByteBuffer found = ByteBuffer.allocate(5);
      assertThat(file.read(found, 0)).isEqualTo(1);
      assertThat(found.get(0)).isEqualTo((byte) 1);
    }
    assertThat(path).hasSize(1);
  }

  /** The first flush waits until it is told to go on; counts all. */
  private static final class SlowFlush extends ForwardingCalls {
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final AtomicInteger flushes = new AtomicInteger();

    SlowFlush(int fd) {
      super(fd);
    }

    @Override
    public void fdatasync() {
      flushes.incrementAndGet();
      begun.countDown();
      awaitUninterrupted(goOn);
    }
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void flushesThatWaitForOneAnotherShareTheNextOne() throws Exception {
    SlowFlush[] calls = new SlowFlush[1];
    try (HostFile file = HostFile.openReadWrite(path, fd -> calls[0] = new SlowFlush(fd))) {
      Thread first = new Thread(flushOf(file));
      first.start();
      calls[0].begun.await();
      List<Thread> waiting = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        Thread thread = new Thread(flushOf(file));
        thread.start();
        waiting.add(thread);
      }
      for (Thread thread : waiting) {
        while (thread.getState() != Thread.State.WAITING) {
          Thread.onSpinWait();
        }
      }

      calls[0].goOn.countDown();
      first.join();
      for (Thread thread : waiting) {
        thread.join();
      }

      assertThat(calls[0].flushes).hasValue(2); // the first began before they asked
    }
  }

  private static FutureTask<Void> flushOf(HostFile file) {
    return new FutureTask<>(
        () -> {
          file.flushToDisk();
          return null;
        });
  }

  /** Takes and gives at most seven bytes a call. */
  private static final class Sips extends ForwardingCalls {
    Sips(int fd) {
      super(fd);
    }

    private interface Call {
      int on(ByteBuffer buffer) throws HostIoException;
    }

    private static int sip(ByteBuffer buffer, Call call) throws HostIoException {
      int limit = buffer.limit();
      buffer.limit(Math.min(limit, buffer.position() + 7));
      try {
        return call.on(buffer);
      } finally {
        buffer.limit(limit);
      }
    }

    @Override
    public int pread(ByteBuffer direct, long hostOffset) throws HostIoException {
      return sip(direct, sip -> super.pread(sip, hostOffset));
    }

    @Override
    public int pwrite(ByteBuffer direct, long hostOffset) throws HostIoException {
      return sip(direct, sip -> super.pwrite(sip, hostOffset));
    }

    @Override
    public long pwritev(ByteBuffer[] direct, int first, long hostOffset) throws HostIoException {
      return pwrite(direct[first], hostOffset);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatTheHostDoesInPartIsContinued(boolean direct) throws IOException {
    byte[] content = new byte[1000];
    new SplittableRandom(1).nextBytes(content);
    try (HostFile file = HostFile.openReadWrite(path, Sips::new)) {
      ByteBuffer source = direct ? ByteBuffer.allocateDirect(1000) : ByteBuffer.allocate(1000);
      source.put(content).flip();
      file.write(source, 0);
      file.write(new ByteBuffer[] {source.flip(), source.duplicate()}, 1000);

      ByteBuffer found = ByteBuffer.allocate(5000);
      assertThat(file.read(found, 2000)).isEqualTo(1000);
      assertThat(Arrays.copyOf(found.array(), 1000)).isEqualTo(content);
    }
    assertThat(path).hasSize(3000);
  }

  /** Knows of no way to reserve, release or zero space. */
  private static final class NoFallocate extends ForwardingCalls {
    NoFallocate(int fd) {
      super(fd);
    }

    @Override
    public void fallocate(int mode, long hostOffset, long bytes) throws HostIoException {
      throw new HostIoException(Posix.EOPNOTSUPP, "not supported");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void zerosAreWrittenWhereTheHostCannotPunch(boolean around) throws IOException {
    byte[] expected = ones(3 * MIB + 5);
    Files.write(path, expected);
    try (HostFile file = openWith(NoFallocate::new, around)) {
      file.punchHole(10, 2 * MIB + 100);
      file.punchHole(3 * MIB, MIB);
    }
    Arrays.fill(expected, 10, 2 * MIB + 110, (byte) 0);
    Arrays.fill(expected, 3 * MIB, expected.length, (byte) 0);
    assertThat(Arrays.mismatch(Files.readAllBytes(path), expected)).isEqualTo(-1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void zerosAreWrittenWhereTheHostCannotZero(boolean around) throws IOException {
    byte[] content = ones(5000);
    Files.write(path, content);
    try (HostFile file = openWith(NoFallocate::new, around)) {
      file.zeroRange(1234, MIB + 777);
      assertThat(file.allocatedBytes()).isGreaterThanOrEqualTo(MIB);
    }
    byte[] expected = Arrays.copyOf(content, 1234 + MIB + 777);
    Arrays.fill(expected, 1234, 5000, (byte) 0);
    assertThat(Arrays.mismatch(Files.readAllBytes(path), expected)).isEqualTo(-1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void holesAreFilledWhereTheHostCannotReserve(boolean around) throws IOException {
    try (HostFile file = openWith(NoFallocate::new, around)) {
      file.resize(MIB);
      file.write(ByteBuffer.wrap(ones(100)), MIB / 2);
      file.flushToDisk();

      file.allocate(100, 2 * MIB + 1);

      assertThat(file.size()).isEqualTo(2 * MIB + 101);
      assertThat(file.allocatedBytes()).isGreaterThanOrEqualTo(2 * MIB);
    }
    byte[] expected = new byte[2 * MIB + 101];
    Arrays.fill(expected, MIB / 2, MIB / 2 + 100, (byte) 1);
    assertThat(Arrays.mismatch(Files.readAllBytes(path), expected)).isEqualTo(-1);
  }

  private HostFile openWith(IntFunction<FileCalls> calls, boolean aroundPageCache)
      throws IOException {
    HostFile file = HostFile.openReadWrite(path, calls);
    file.setDirect(aroundPageCache);
    return file;
  }

  private static byte[] ones(int bytes) {
    byte[] ones = new byte[bytes];
    Arrays.fill(ones, (byte) 1);
    return ones;
  }

  @Test
  void aFullHostSaysSoAndWritingWorksAgainOnceThereIsSpace() throws Exception {
    Path mountpoint = Files.createDirectory(directory.resolve("small"));
    assumeThat(run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mountpoint.toString()))
        .as("only root can mount a small file system")
        .isZero();
    Path image = mountpoint.resolve("image");
    Files.createFile(image);
    try (HostFile file = HostFile.openReadWrite(image)) {
      file.write(ByteBuffer.allocate(MIB / 2), 0);

      assertNoSpace(image, () -> file.write(ByteBuffer.allocate(MIB), MIB / 2));
      assertNoSpace(image, () -> file.allocate(0, 2 * MIB));

      file.resize(MIB / 2);
      file.write(ByteBuffer.wrap(new byte[] {7}), MIB / 2);
      assertThat(file.size()).isEqualTo(MIB / 2 + 1);
    } finally {
      run("umount", mountpoint.toString());
    }
  }

  private static void assertNoSpace(Path image, ThrowingCallable change) {
    assertThatThrownBy(change)
        .hasMessageStartingWith(image + ": ")
        .hasMessageContaining("No space left on device")
        .asInstanceOf(type(HostIoException.class))
        .satisfies(e -> assertThat(e.errno()).isEqualTo(Posix.ENOSPC));
  }

  private static int run(String... command) throws Exception {
    return new ProcessBuilder(command).start().waitFor();
  }
}
