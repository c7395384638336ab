package org.qcowfs.it.write;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Checkout;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.DiskFile;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.TestDirectory;

/**
 * The kernel makes a file system on a mounted disk and writes files to it through a loop device.
 */
@NeedsMounts
final class FileSystemWriteTest {
  private static final long DISK_BYTES = 512 << 20;

  private final Path directory = TestDirectory.create("files");
  private final Path image = directory.resolve("vm.qcow2");

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
  }

  @ParameterizedTest
  @CsvSource({
    "ext4, writeback, mkfs.ext4 -q -F, e2fsck -fn",
    "xfs, none, mkfs.xfs -q -f, xfs_repair -n -f"
  })
  void aSourceTreeCopiedInIsThereAndTheFileSystemIsSound(
      String type, String mode, String make, String check) throws IOException {
    QemuImg.create(image, "", DISK_BYTES);
    Path tree = directory.resolve("mnt/tree");

    try (MountedImage mount = MountedImage.mount(image, "rw", "cache=" + mode)) {
      words(make).with(List.of(mount.disk())).run().succeeded();
      withFileSystem(
          mount.disk(),
          "loop",
          type,
          () -> {
            Files.createDirectory(tree);
            shell(
                    "tar -C %s --exclude=target --exclude=.git -cf - . | tar -C %s -xf -"
                        .formatted(Checkout.root(), tree))
                .run()
                .succeeded();
          });
      words(check).with(List.of(mount.disk())).run().succeeded();
    }

    QemuImg.on(image, "check", "-q", image);
    words(check).with(List.of(QemuImg.toRaw(image))).run().succeeded();
    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      withFileSystem(
          mount.disk(),
          "loop,ro",
          type,
          () ->
              Command.of("diff", "-r", "--no-dereference", "--exclude=target", "--exclude=.git")
                  .with(List.of(Checkout.root(), tree))
                  .run()
                  .succeeded());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"writeback", "none", "writethrough", "unsafe"})
  void aMappedWriteIsInTheImageAsSoonAsItIsSynced(String mode) {
    QemuImg.create(image, "", DISK_BYTES);
    byte[] text = "written through a mapping".getBytes(StandardCharsets.UTF_8);
    long offset = (1 << 20) - 7;

    try (MountedImage mount = MountedImage.mount(image, "rw", "cache=" + mode, "flush_interval=0");
        DiskFile disk = DiskFile.open(mount.disk(), DiskFile.PLAIN)) {
      disk.writeMapped(text, offset);
      assertThat(disk.read(offset, text.length)).isEqualTo(text);
      Path seen = directory.resolve("seen.raw");
      QemuImg.on(image, "convert", "-U", "-f", "qcow2", "-O", "raw", image, seen);
      DiskBytes.assertHolds(seen, offset, text);
    }

    QemuImg.on(image, "check", "-q", image);
    try (MountedImage mount = MountedImage.mount(image, "ro")) {
      DiskBytes.assertHolds(mount.disk(), offset, text);
    }
  }

  /** What happens while the file system is mounted. */
  @FunctionalInterface
  private interface Use {
    void run() throws IOException;
  }

  private void withFileSystem(Path disk, String options, String type, Use use) throws IOException {
    Path files = Files.createDirectories(directory.resolve("mnt"));
    Command.of("mount", "-t", type, "-o", options, disk, files).run().succeeded();
    try {
      use.run();
    } finally {
      Command.of("umount", files).run().succeeded();
    }
  }

  private static Command words(String line) {
    return Command.of((Object[]) line.split(" ", -1));
  }

  private static Command shell(String script) {
    return Command.of("bash", "-o", "pipefail", "-c", script);
  }
}
