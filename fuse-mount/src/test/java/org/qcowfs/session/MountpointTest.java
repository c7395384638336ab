package org.qcowfs.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MountpointTest {
  @TempDir private Path temporary;
  private Path directory;

  @BeforeEach
  void resolveTheTemporaryDirectory() throws IOException {
    directory = temporary.toRealPath();
  }

  private static Mountpoint prepare(Path given) throws IOException {
    return Mountpoint.prepare(given, HostUser.current(), Map.of());
  }

  @Test
  void anEmptyDirectoryAndARegularFileWillDo() throws IOException {
    Path empty = Files.createDirectory(directory.resolve("empty"));
    Path file = Files.writeString(directory.resolve("file"), "contents");

    assertThat(prepare(empty)).isEqualTo(new Mountpoint(empty, false));
    assertThat(prepare(file)).isEqualTo(new Mountpoint(file, true));
  }

  @Test
  void ourOwnLinkLeadsToTheRealPath() throws IOException {
    Path empty = Files.createDirectory(directory.resolve("empty"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("empty"));

    assertThat(prepare(link)).isEqualTo(new Mountpoint(empty, false));
  }

  @Test
  void aDirectoryThatHoldsSomethingIsRefused() throws IOException {
    Files.createFile(directory.resolve("something"));

    assertThatThrownBy(() -> prepare(directory)).hasMessageContaining("not empty");
  }

  @Test
  void aMissingMountpointIsRefusedWithTheWayToMakeIt() {
    assertThatThrownBy(() -> prepare(directory.resolve("none")))
        .hasMessageContaining("mkdir " + directory.resolve("none"));
    assertThatThrownBy(() -> prepare(directory.resolve("no/ne"))).hasMessageContaining("mkdir");
  }

  @Test
  void aPlaceWhereSomethingIsMountedIsRefusedByWhatItIs() {
    assertThatThrownBy(() -> prepare(Path.of("/proc")))
        .hasMessageContaining("busy")
        .hasMessageContaining("type proc");
  }

  @Test
  void theListedPathIsFoundThroughLinksAndDotsWithoutTouchingTheMount() throws IOException {
    Path mount = Files.createDirectory(directory.resolve("mount"));
    Files.createSymbolicLink(directory.resolve("one"), Path.of("mount"));
    Files.createSymbolicLink(directory.resolve("two"), directory.resolve("one"));
    MountTable table = new MountTable(List.of());

    assertThat(MountPath.resolve(directory.resolve("two"), table)).isEqualTo(mount);
    assertThat(MountPath.resolve(mount.resolve("."), table)).isEqualTo(mount);
    assertThat(MountPath.resolve(directory.resolve("one/../mount"), table)).isEqualTo(mount);
  }

  @Test
  void aRingOfLinksIsRefused() throws IOException {
    Path a = directory.resolve("a");
    Files.createSymbolicLink(a, Path.of("b"));
    Files.createSymbolicLink(directory.resolve("b"), Path.of("a"));

    assertThatThrownBy(() -> MountPath.resolve(a, new MountTable(List.of())))
        .isInstanceOf(FileSystemLoopException.class);
  }
}
