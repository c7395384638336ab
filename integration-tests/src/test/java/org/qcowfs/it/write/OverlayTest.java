package org.qcowfs.it.write;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.TestDirectory;

/** Writes that go to an overlay leave the image as it was. */
@NeedsMounts
final class OverlayTest {
  private static final long SIZE = 8 << 20;

  private final Path directory = TestDirectory.create("overlay");
  private final Path image = image(directory);

  private static Path image(Path directory) {
    Path image = QemuImg.create(directory.resolve("vm.qcow2"), "", SIZE);
    new QemuIo().write(0x11, 0, 1 << 20).run(image);
    return image;
  }

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
  }

  private static void write(Path disk, String text, long offset) throws IOException {
    try (FileChannel channel = FileChannel.open(disk, StandardOpenOption.WRITE)) {
      channel.write(
          ByteBuffer.wrap(text.getBytes(java.nio.charset.StandardCharsets.UTF_8)), offset);
      channel.force(true);
    }
  }

  private static String read(Path disk, int length, long offset) throws IOException {
    try (FileChannel channel = FileChannel.open(disk, StandardOpenOption.READ)) {
      ByteBuffer bytes = ByteBuffer.allocate(length);
      channel.read(bytes, offset);
      return java.nio.charset.StandardCharsets.UTF_8.decode(bytes.flip()).toString();
    }
  }

  @Test
  void aThrownAwayOverlayShowsWritesAndForgetsThem() throws IOException {
    String before = DiskBytes.sha256(image);

    for (String text : new String[] {"first", "again"}) {
      try (MountedImage mount = MountedImage.mount(image, "overlay=discard")) {
        assertThat(read(mount.disk(), 5, 5000)).isEqualTo("\u0011".repeat(5));
        write(mount.disk(), text, 5000);
        assertThat(read(mount.disk(), 5, 5000)).isEqualTo(text);
      }
    }

    assertThat(DiskBytes.sha256(image)).isEqualTo(before);
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactly(image);
    }
  }

  @Test
  void aKeptOverlayIsMadeContinuedAndReadByQemu() throws IOException {
    String before = DiskBytes.sha256(image);
    Path overlay = directory.resolve("changes.qcow2");

    try (MountedImage mount = MountedImage.mount(image, "overlay=" + overlay)) {
      write(mount.disk(), "first", 5000);
    }
    try (MountedImage mount = MountedImage.mount(image, "overlay=" + overlay)) {
      assertThat(read(mount.disk(), 5, 5000)).isEqualTo("first");
      write(mount.disk(), "again", SIZE - 5);
    }

    assertThat(DiskBytes.sha256(image)).isEqualTo(before);
    QemuImg.on(overlay, "check", "-q", overlay);
    Path raw = QemuImg.toRaw(overlay);
    assertThat(read(raw, 5, 5000)).isEqualTo("first");
    assertThat(read(raw, 5, SIZE - 5)).isEqualTo("again");
    assertThat(read(raw, 1, 4999)).isEqualTo("\u0011");
  }
}
