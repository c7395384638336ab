package org.qcowfs.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.error.ImageLockedException;
import org.qcowfs.error.ImageLockedException.WayOut;

final class WriteLockTest {
  @TempDir Path directory;
  private Path path;

  @BeforeEach
  void createAFile() throws IOException {
    path = Files.createFile(directory.resolve("image"));
  }

  @Test
  void aWriterLocksTheBytesThatQemuLocks() throws IOException {
    try (HostFile writer = HostFile.openReadWrite(path)) {
      writer.lock(ImageLock.READ_WRITE);

      assertThat(lockedBytes()).containsExactlyInAnyOrder(100, 101, 103, 201, 203);
    }
    assertThat(lockedBytes()).isEmpty();
  }

  private Set<Integer> lockedBytes() throws IOException {
    Set<Integer> locked = new HashSet<>();
    int fd = Posix.open(path.toString(), Posix.O_RDWR);
    try {
      for (int offset = 0; offset < 300; offset++) {
        if (Posix.isLockedByAnother(fd, offset)) {
          locked.add(offset);
        }
      }
    } finally {
      Posix.close(fd);
    }
    return locked;
  }

  @Test
  void aSecondWriterIsToldOfTheFirst() throws IOException {
    try (HostFile first = HostFile.openReadWrite(path);
        HostFile second = HostFile.openReadWrite(path)) {
      first.lock(ImageLock.READ_WRITE);

      assertThatThrownBy(() -> second.lock(ImageLock.READ_WRITE))
          .isInstanceOf(ImageLockedException.class)
          .hasMessage(path + ": another program has the image open for writing; stop it first")
          .extracting("wayOut")
          .isEqualTo(WayOut.WAIT);
    }
  }

  @Test
  void aWriterIsToldOfAReader() throws IOException {
    try (HostFile reader = HostFile.openReadOnly(path);
        HostFile writer = HostFile.openReadWrite(path)) {
      reader.lock(ImageLock.READ);

      assertThatThrownBy(() -> writer.lock(ImageLock.READ_WRITE))
          .isInstanceOf(ImageLockedException.class)
          .hasMessage(
              path + ": another program reads the image and lets nobody write; stop it first")
          .extracting("wayOut")
          .isEqualTo(WayOut.READ);
    }
  }

  @Test
  void aReaderIsToldOfAWriter() throws IOException {
    try (HostFile writer = HostFile.openReadWrite(path);
        HostFile reader = HostFile.openReadOnly(path)) {
      writer.lock(ImageLock.READ_WRITE);

      assertThatThrownBy(() -> reader.lock(ImageLock.READ))
          .isInstanceOf(ImageLockedException.class)
          .hasMessageContaining("open for writing")
          .extracting("wayOut")
          .isEqualTo(WayOut.FORCE_SHARE);
    }
  }

  @Test
  void whoReadsAlongAtItsOwnRiskAndAWriterDoNotMind() throws IOException {
    try (HostFile writer = HostFile.openReadWrite(path);
        HostFile reader = HostFile.openReadOnly(path)) {
      reader.lock(ImageLock.READ_SHARED);
      writer.lock(ImageLock.READ_WRITE);
    }
  }

  @Test
  void theLockOutlivesAnotherOpenAndCloseOfTheSameFile() throws IOException {
    try (HostFile writer = HostFile.openReadWrite(path)) {
      writer.lock(ImageLock.READ_WRITE);
      HostFile.openReadOnly(path).close();

      assertThat(lockedBytes()).hasSize(5);
    }
  }
}
