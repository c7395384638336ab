package org.qcowfs.it.privilege;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.DiskBytes;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.SmallImage;
import org.qcowfs.it.kit.TestDirectory;

/** What is no file is refused in one line, and nothing hangs; a block device is as good as one. */
@NeedsMounts
final class SpecialFileTest {
  private static final String[][] COMMANDS = {{"info"}, {"map"}, {"check"}, {"check", "-r", "all"}};

  private final Path directory = TestDirectory.create("special");
  private final Path mountpoint = TestDirectory.create("mnt");

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
    TestDirectory.delete(mountpoint);
  }

  @ParameterizedTest
  @ValueSource(strings = {"fifo", "node", "socket", "/proc/version", "/proc/self/fd/0"})
  void whatIsNoDiskIsNoImageForAnyCommand(String name) throws IOException {
    Path image = directory.resolve(name);
    try (ServerSocketChannel socket = make(name, image)) {
      assertThat(socket == null).isEqualTo(!name.equals("socket"));
      for (String[] words : COMMANDS) {
        Command command = Qcowfs.command((Object[]) words).with(List.of(image));
        assertThat(command.run().refused()).contains(image + ": ", "not a disk image");
      }
      assertThat(Qcowfs.mountRefused(image, mountpoint, "rw", "format=raw"))
          .contains(image + ": ", "not a disk image");
    }
  }

  private static @Nullable ServerSocketChannel make(String name, Path image) throws IOException {
    switch (name) {
      case "fifo" -> Command.of("mkfifo", image).run().succeeded();
      case "node" -> Command.of("mknod", image, "c", "1", "5").run().succeeded();
      case "socket" -> {
        ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        return socket.bind(UnixDomainSocketAddress.of(image));
      }
      default -> assertThat(image).exists();
    }
    return null;
  }

  @Test
  void aDataFileThatIsAFifoIsRefusedForWritingToo() throws IOException {
    Path image = directory.resolve("vm.qcow2");
    Path data = directory.resolve("vm.data");
    QemuImg.create(image, "data_file=" + data, 1 << 20);
    Files.delete(data);
    Command.of("mkfifo", data).run().succeeded();
    String before = DiskBytes.sha256(image);

    assertThat(Qcowfs.mountRefused(image, mountpoint, "rw", "references=any"))
        .contains(image + ": ", "data file", "not a regular file");

    assertThat(DiskBytes.sha256(image)).isEqualTo(before);
  }

  @Test
  void aFileOfTheKernelIsNoDataFile() {
    Path image = directory.resolve("vm.qcow2");
    QemuImg.on(
        image,
        "create",
        "-q",
        "-u",
        "-f",
        "qcow2",
        "-b",
        "/proc/version",
        "-F",
        "raw",
        image,
        "1M");

    assertThat(Qcowfs.mountRefused(image, mountpoint, "references=any"))
        .contains("/proc/version", "not a disk image");
  }

  @Test
  void aBlockDeviceIsAnImageAsAFileIs() {
    Path image = SmallImage.create(directory.resolve("vm.qcow2"));
    Command attach = Command.of("losetup", "--find", "--show", image);
    Path device = Path.of(attach.run().succeeded().stdout().strip());
    try {
      Qcowfs.run("check", device).succeeded();
      try (MountedImage mount = MountedImage.mountAt(mountpoint, device, "rw")) {
        SmallImage.assertIsDisk(mount.disk());
      }
    } finally {
      Command.of("losetup", "--detach", device).run().succeeded();
    }
  }
}
