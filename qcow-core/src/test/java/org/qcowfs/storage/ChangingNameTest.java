package org.qcowfs.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.error.HostIoException;
import org.qcowfs.testkit.OpenFiles;

/** Somebody changes what a name means while it is opened. */
final class ChangingNameTest {
  @TempDir private Path temporary;
  private Path directory;
  private Path image;
  private Path other;

  @BeforeEach
  void createFiles() throws IOException {
    directory = temporary.toRealPath();
    image = Files.writeString(directory.resolve("image"), "image");
    other = Files.writeString(directory.resolve("other"), "other");
  }

  /** What somebody does, just before the system call of that number, counted from 1. */
  private final class Interference implements HostFileOpener.Open {
    private final int before;
    private final List<String> paths = new ArrayList<>();

    private Interference(int before) {
      this.before = before;
    }

    @Override
    public int open(String path, int flags) throws HostIoException {
      paths.add(path);
      if (paths.size() == before) {
        try {
          Files.delete(image);
          Files.createSymbolicLink(image, other);
        } catch (IOException e) {
          throw new AssertionError(e);
        }
      }
      return Posix.open(path, flags);
    }
  }

  private HostFile open(Path name, HostFileOpener.Open calls) throws IOException {
    return HostFileOpener.open(name, false, DescriptorCalls::new, calls);
  }

  private static String contents(HostFile file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(5);
    file.read(bytes, 0);
    return new String(bytes.array(), StandardCharsets.UTF_8);
  }

  @Test
  void whatWasJudgedIsWhatIsOpenedWhateverTheNameMeansByThen() throws IOException {
    try (HostFile file = open(image, new Interference(2))) {
      assertThat(contents(file)).isEqualTo("image");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/zero", "/dev/tty", "/proc/self/mem", "/proc/version"})
  void whatIsNoDiskIsNotOpenedEvenIfTheNameLedToAFileAMomentAgo(String place) {
    other = Path.of(place);
    Interference calls = new Interference(1);

    assertThatThrownBy(() -> open(image, calls)).hasMessageContaining("not a disk image");

    assertThat(calls.paths).as("held on to, but never opened").hasSize(1);
  }

  @Test
  void aFifoIsNotOpenedEither() throws Exception {
    other = directory.resolve("fifo");
    assertThat(new ProcessBuilder("mkfifo", other.toString()).start().waitFor()).isZero();
    Interference calls = new Interference(1);

    assertThatThrownBy(() -> open(image, calls)).hasMessageContaining("neither a file");

    assertThat(calls.paths).hasSize(1);
    assertThat(OpenFiles.countIn(directory)).isZero();
  }

  @Test
  void theDirectoryIsTheOneInWhichTheFileWasFound() throws IOException {
    Path real = Files.createDirectory(directory.resolve("real"));
    Files.move(image, real.resolve("image"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), real);
    HostFileOpener.Open calls =
        (path, flags) -> {
          try {
            Files.delete(link);
            Files.createSymbolicLink(link, Path.of("/etc"));
            return Posix.open(path, flags);
          } catch (HostIoException e) {
            throw e;
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        };

    try (HostFile file = open(link.resolve("image"), calls)) {
      assertThat(file.directory()).isEqualTo(real);
      assertThat(contents(file)).isEqualTo("image");
    }
  }

  @Test
  void filesOfTheKernelAreNoDiskImages() {
    for (String name :
        new String[] {"/proc/self/status", "/proc/version", "/sys/kernel/profiling"}) {
      if (Files.exists(Path.of(name))) {
        assertThatThrownBy(() -> HostFile.openReadOnly(Path.of(name)).close())
            .isInstanceOf(HostIoException.class)
            .hasMessage(name + ": is made by the kernel (as in /proc and /sys), not a disk image");
      }
    }
  }
}
