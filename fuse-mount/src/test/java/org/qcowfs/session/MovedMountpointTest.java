package org.qcowfs.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.fuse.FuseSession;
import org.qcowfs.fuse.MountSettings;

/**
 * The mountpoint becomes a link after it was checked. Mounts for real, so it needs root and FUSE.
 */
final class MovedMountpointTest {
  @TempDir private Path temporary;
  private Path parent;
  private Path mountpoint;
  private Path victim;
  private Path disk;
  private final AtomicReference<FuseSession> mounted = new AtomicReference<>();

  @BeforeEach
  void createPlaces() throws Exception {
    assumeTrue(HostUser.current().isRoot(), "only root mounts without help");
    assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "there is no FUSE");
    Path directory = temporary.toRealPath();
    parent = Files.createDirectory(directory.resolve("parent"));
    mountpoint = Files.createDirectory(parent.resolve("mnt"));
    victim = Files.createDirectories(directory.resolve("victim/mnt"));
    disk = Files.write(directory.resolve("disk.raw"), new byte[4096]);
  }

  @AfterEach
  void endWhatIsLeft() throws IOException {
    for (Path left : mountsBelow(temporary)) {
      Fusermount.find().detach(left);
    }
  }

  @Test
  void aMountpointThatBecomesALinkIsNotMountedOverNorWhereItLeads() {
    assertRefused(() -> exchange(mountpoint, victim));
  }

  @Test
  void norIsOneBelowADirectoryThatBecomesALink() {
    assertRefused(() -> exchange(parent, victim.getParent()));
  }

  /** What somebody does between check and mount. */
  private interface Interference {
    void run() throws IOException;
  }

  private static void exchange(Path path, Path target) throws IOException {
    Files.move(path, path.resolveSibling("aside"));
    Files.createSymbolicLink(path, target);
  }

  private void assertRefused(Interference interference) {
    assertThatThrownBy(() -> mount(interference))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(mountpoint.toString())
        .hasMessageContaining("is not mounted");

    assertThat(mounted.get()).as("it was really mounted").isNotNull();
    assertThat(mountsBelow(temporary)).as("mounts left").isEmpty();
  }

  private void mount(Interference interference) throws Exception {
    try (MountedImage image = MountedImage.open(disk, MountOptions.parse(List.of("ro")))) {
      mount(image, interference);
    }
  }

  private void mount(MountedImage image, Interference interference) throws IOException {
    MountSettings settings =
        new MountSettings(
            mountpoint,
            "disk.raw",
            false,
            false,
            false,
            0,
            0,
            077,
            4,
            true,
            false,
            Instant.EPOCH,
            image::diskBytes);
    SessionRecord record =
        new SessionRecord(
            ProcessHandle.current().pid(),
            1,
            mountpoint,
            Path.of("disk.raw"),
            Optional.empty(),
            Optional.empty());
    var unused =
        MountSession.mount(
            image,
            image.directory(),
            settings,
            record,
            Files.createDirectory(temporary.resolve("records")),
            (root, how) -> {
              interference.run();
              mounted.set(FuseSession.mount(root, how));
              return mounted.get();
            });
  }

  private static List<Path> mountsBelow(Path directory) {
    try {
      return MountTable.read().entries().stream()
          .map(MountEntry::mountpoint)
          .filter(path -> path.startsWith(directory))
          .toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
