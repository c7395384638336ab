package org.qcowfs.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.error.HostIoException;
import org.qcowfs.error.ImageLockedException;
import org.qcowfs.testkit.OpenFiles;
import org.qcowfs.testkit.SparseBytes;

/**
 * The real host file. Locks of another process are the business of the integration tests: within
 * this one, only the locks that exclude nobody among us can be seen to do so.
 */
final class HostFileTest {
  private static final int ENOENT = 2;
  private static final int EINVAL = 22;
  private static final int ENAMETOOLONG = 36;
  private static final int ELOOP = 40;

  @TempDir private Path directory;

  private Path random(String name, int bytes) throws IOException {
    byte[] content = new byte[bytes];
    new SplittableRandom(bytes).nextBytes(content);
    return Files.write(directory.resolve(name), content);
  }

  @Test
  void bytesAreReadIntoDirectAndHeapBuffersBetweenPositionAndLimit() throws IOException {
    Path path = random("a", 200_000);
    byte[] content = Files.readAllBytes(path);
    try (HostFile file = HostFile.openReadOnly(path)) {
      for (boolean direct : new boolean[] {true, false}) {
        ByteBuffer buffer =
            direct ? ByteBuffer.allocateDirect(150_010) : ByteBuffer.allocate(150_010);
        buffer.position(5).limit(150_005);

        assertThat(file.read(buffer, 777)).isEqualTo(150_000);

        assertThat(buffer.position()).isEqualTo(150_005);
        byte[] read = new byte[150_000];
        buffer.get(5, read);
        assertThat(read).isEqualTo(Arrays.copyOfRange(content, 777, 150_777));
        assertThat(buffer.get(4)).isZero();
        assertThat(buffer.clear().get(150_005)).isZero();
      }
    }
  }

  @Test
  void aSliceOfADirectBufferIsFilledInItsPlace() throws IOException {
    Path path = random("a", 1000);
    ByteBuffer whole = ByteBuffer.allocateDirect(1000);
    try (HostFile file = HostFile.openReadOnly(path)) {
      file.read(whole.slice(100, 50), 200);
    }

    assertThat(whole.get(99)).isZero();
    assertThat(whole.get(100)).isEqualTo(Files.readAllBytes(path)[200]);
    assertThat(whole.get(150)).isZero();
  }

  @Test
  void aReadPastTheEndIsShortAndAFullOneFails() throws IOException {
    Path path = random("a", 1000);
    try (HostFile file = HostFile.openReadOnly(path)) {
      assertThat(file.read(ByteBuffer.allocate(100), 950)).isEqualTo(50);
      assertThat(file.read(ByteBuffer.allocateDirect(100), 950)).isEqualTo(50);
      assertThat(file.read(ByteBuffer.allocate(100), 1L << 40)).isZero();
      assertThatThrownBy(() -> file.readFully(ByteBuffer.allocate(100), 950))
          .isInstanceOf(EOFException.class)
          .hasMessage(path + ": ends at 0x3e8, 100 bytes wanted at host offset 0x3b6");
    }
  }

  @Test
  void dataAndHolesOfASparseFileAreTold() throws IOException {
    SparseBytes bytes = new SparseBytes().resize(16 << 20);
    bytes.write(1 << 20, new byte[] {1}).write(8 << 20, new byte[] {2});
    Path path = bytes.writeTo(directory.resolve("sparse"));
    try (HostFile file = HostFile.openReadOnly(path)) {
      assertThat(file.size()).isEqualTo(16 << 20);
      assertThat(file.allocatedBytes()).isBetween(2L, 1L << 20);
      assertThat(file.nextData(0)).isBetween(512L << 10, 1L << 20);
      assertThat(file.nextData(1 << 20)).isEqualTo(1 << 20);
      assertThat(file.nextHole(1 << 20)).isBetween((1L << 20) + 1, 2L << 20);
      assertThat(file.nextHole(0)).isZero();
      assertThat(file.nextData(9 << 20)).isEqualTo(-1);
      assertThat(file.nextHole(16 << 20)).isEqualTo(16 << 20);
      assertThat(file.nextData(16 << 20)).isEqualTo(-1);
      assertThat(file.nextHole(20 << 20)).isEqualTo(20 << 20);
    }
  }

  @Test
  void theEndOfAFileWithoutHolesCountsAsOne() throws IOException {
    try (HostFile file = HostFile.openReadOnly(random("a", 5000))) {
      assertThat(file.nextHole(0)).isEqualTo(5000);
      assertThat(file.nextData(4999)).isEqualTo(4999);
    }
  }

  @Test
  void theSizeIsTheOneOfNow() throws IOException {
    Path path = random("a", 1000);
    try (HostFile file = HostFile.openReadOnly(path)) {
      Files.write(path, new byte[500], StandardOpenOption.APPEND);

      assertThat(file.size()).isEqualTo(1500);
    }
  }

  @Test
  void aFileIsTheSameUnderAnotherName() throws IOException {
    Path path = random("a", 10);
    Path link = Files.createSymbolicLink(directory.resolve("link"), path);
    Path copy = Files.copy(path, directory.resolve("copy"));
    try (HostFile file = HostFile.openReadOnly(path);
        HostFile linked = HostFile.openReadOnly(link);
        HostFile copied = HostFile.openReadOnly(copy)) {
      assertThat(file.isSameFile(linked)).isTrue();
      assertThat(file.isSameFile(copied)).isFalse();
      assertThat(linked.name()).isEqualTo(link);
      assertThat(linked.realPath()).isEqualTo(path.toRealPath());
    }
  }

  @Test
  void aFailedOpenTellsTheHostsErrorAndTheName() throws IOException {
    Path loop = Files.createSymbolicLink(directory.resolve("loop"), directory.resolve("loop"));

    assertOpenFails(directory.resolve("missing"), ENOENT, "open failed: No such file or directory");
    assertOpenFails(directory.resolve("x".repeat(300)), ENAMETOOLONG, "File name too long");
    assertOpenFails(loop, ELOOP, "open failed: Too many levels of symbolic links");
    assertOpenFails(directory, EINVAL, "is a directory, not a disk image");
    assertOpenFails(
        Path.of("/dev/null"), EINVAL, "is neither a file nor a block device, not a disk image");
  }

  @Test
  void aFifoIsRefusedAndNotWaitedFor() throws Exception {
    Path fifo = directory.resolve("fifo");
    assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();

    assertOpenFails(fifo, EINVAL, "is neither a file nor a block device, not a disk image");
  }

  private void assertOpenFails(Path path, int errno, String reason) throws IOException {
    assertThatExceptionOfType(HostIoException.class)
        .isThrownBy(() -> HostFile.openReadOnly(path).close())
        .withMessageStartingWith(path + ": ")
        .withMessageContaining(reason)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
    assertThat(OpenFiles.countIn(directory)).isZero();
  }

  @Test
  void aFailedReadTellsTheErrorTheNameAndTheOffset() throws IOException {
    Path path = random("a", 10);
    try (HostFile file = HostFile.openReadOnly(path)) {
      assertThatThrownBy(() -> file.read(ByteBuffer.allocate(10), -512))
          .isInstanceOf(HostIoException.class)
          .hasMessage(path + ": read failed: Invalid argument, at host offset 0xfffffffffffffe00");
    }
  }

  @Test
  void closingTwiceClosesOnce() throws IOException {
    HostFile file = HostFile.openReadOnly(random("a", 10));

    file.close();
    file.close();

    assertThat(OpenFiles.countIn(directory)).isZero();
  }

  @Test
  void readersShareAnImage() throws IOException {
    Path path = random("a", 10);
    try (HostFile first = HostFile.openReadOnly(path);
        HostFile second = HostFile.openReadOnly(path);
        HostFile third = HostFile.openReadOnly(path)) {
      first.lock(ImageLock.READ);
      assertThatCode(() -> second.lock(ImageLock.READ)).doesNotThrowAnyException();
      assertThatCode(() -> third.lock(ImageLock.READ_SHARED)).doesNotThrowAnyException();
    }
  }

  @Test
  void aWriterKeepsReadersOutUntilItIsGone() throws IOException {
    Path path = random("a", 10);
    try (HostFile writer = HostFile.openReadOnly(path)) {
      lockShared(path, 101, () -> assertLocked(path, ImageLock.READ, "open for writing"));
      lockShared(path, 103, () -> assertLocked(path, ImageLock.READ, "open for writing"));
      lockShared(path, 200, () -> assertLocked(path, ImageLock.READ, "shares it with nobody"));
      writer.lock(ImageLock.READ);
    }
  }

  @Test
  void aReaderThatSharesIsKeptOutOnlyByWhoSharesWithNobody() throws IOException {
    Path path = random("a", 10);
    lockShared(
        path,
        101,
        () -> {
          try (HostFile reader = HostFile.openReadOnly(path)) {
            reader.lock(ImageLock.READ_SHARED);
          }
        });
    lockShared(path, 200, () -> assertLocked(path, ImageLock.READ_SHARED, "shares it with nobody"));
  }

  @Test
  void anExclusiveLockOfAnotherProgramKeepsReadersOut() throws IOException {
    Path path = random("a", 10);
    try (FileChannel channel =
            FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      assertThat(lock.isShared()).isFalse();
      assertLocked(path, ImageLock.READ, "locked the image for itself alone");
    }
  }

  @Test
  void aLockOutlivesTheClosingOfAnotherDescriptorOfItsFile() throws IOException {
    Path path = random("a", 10);
    int probe = Posix.open(path.toString(), Posix.O_RDONLY | Posix.O_CLOEXEC);
    try {
      try (HostFile reader = HostFile.openReadOnly(path)) {
        reader.lock(ImageLock.READ);

        HostFile.openReadOnly(path).close();
        Files.readAllBytes(path);

        assertThat(Posix.isLockedByAnother(probe, 100)).isTrue();
        assertThat(Posix.isLockedByAnother(probe, 201)).isTrue();
        assertThat(Posix.isLockedByAnother(probe, 203)).isTrue();
        assertThat(Posix.isLockedByAnother(probe, 101)).isFalse();
      }
      assertThat(Posix.isLockedByAnother(probe, 100)).isFalse();
    } finally {
      Posix.close(probe);
    }
  }

  /** Something that may fail. */
  private interface Action {
    void run() throws IOException;
  }

  /** Java's locks are those of the process, which the kernel sets against OFD locks. */
  private static void lockShared(Path path, long offset, Action action) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        FileLock lock = channel.lock(offset, 1, true)) {
      assertThat(lock.isValid()).isTrue();
      action.run();
    }
  }

  private static void assertLocked(Path path, ImageLock lock, String reason) throws IOException {
    try (HostFile file = HostFile.openReadOnly(path)) {
      assertThatThrownBy(() -> file.lock(lock))
          .isInstanceOf(ImageLockedException.class)
          .hasMessageStartingWith(path + ": another program ")
          .hasMessageContaining(reason);
    }
  }
}
