package org.qcowfs.it.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.Checkout;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.TestDirectory;

/** The kernel mounts the file system on a mounted disk, and its files are those in the image. */
@NeedsMounts
final class FileSystemTest {
  private final Path directory = TestDirectory.create("ext2");

  @Test
  void aFileSystemMadeHereIsReadThroughALoopDevice() throws IOException {
    assertFilesRead(createImage());
  }

  @Test
  void theImageOfAForensicsProjectIsReadThroughALoopDevice() throws IOException {
    Path image = Checkout.shared("images/ext2.qcow2").orElse(Path.of(""));
    assumeThat(Files.isRegularFile(image)).as("shared/images/ext2.qcow2 is there").isTrue();
    assertFilesRead(image);
  }

  private void assertFilesRead(Path image) throws IOException {
    String before = DiskBytes.sha256(image);
    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      Path files = Files.createDirectory(directory.resolve("files"));
      Command.of("mount", "-t", "ext2", "-o", "loop,ro", mount.disk(), files).run().succeeded();
      try {
        assertSameAsDebugfs(files, mount.disk());
      } finally {
        Command.of("umount", files).run().succeeded();
      }
    }
    assertThat(DiskBytes.sha256(image)).isEqualTo(before);
  }

  /** {@code debugfs} reads the disk without the kernel's file system. */
  private void assertSameAsDebugfs(Path files, Path disk) throws IOException {
    List<Path> regular;
    try (Stream<Path> tree = Files.walk(files)) {
      regular = tree.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)).toList();
    }
    assertThat(regular).as("files of the file system").isNotEmpty();
    Path dumped = directory.resolve("dumped");
    for (Path file : regular) {
      String name = "/" + files.relativize(file);
      Command.of("debugfs", "-R", "dump \"" + name + "\" " + dumped, disk).run().succeeded();
      DiskBytes.assertSame(file, dumped);
    }
  }

  private Path createImage() throws IOException {
    Path content = Files.createDirectories(directory.resolve("content/etc/deep"));
    Files.writeString(content.resolve("hosts"), "127.0.0.1 localhost\n");
    Files.writeString(content.resolveSibling("long"), "a line of many\n".repeat(60_000));
    Path raw = directory.resolve("made.raw");
    Command.of("mkfs.ext2", "-q", "-d", directory.resolve("content"), raw, "8M").run().succeeded();
    Path image = directory.resolve("made.qcow2");
    QemuImg.on(image, "convert", "-c", "-f", "raw", "-O", "qcow2", raw, image);
    return image;
  }
}
