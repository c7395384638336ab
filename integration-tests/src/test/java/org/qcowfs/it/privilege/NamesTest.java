package org.qcowfs.it.privilege;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.CommandResult;
import org.qcowfs.it.kit.Json;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.SmallImage;
import org.qcowfs.it.kit.TestDirectory;

/**
 * Names of files and names in images are names: no option, no terminal command, no line of a log.
 */
@NeedsMounts
final class NamesTest {
  private static final String FORGED = "x\n2026-01-01 00:00:00.000 INFO  all is well";
  private static final String COMMANDING = "\u001b[2J\u001b]0;mine\u0007\u009b31m\u007f\r\u202e";

  private final Path directory = TestDirectory.create("names");

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a,allow_other,b",
        "x\\,suid",
        "end\\",
        "\\054ro\\012",
        "q'uo\"te",
        FORGED,
        COMMANDING,
        "tab\tx\u0001\u001e",
        " blank ",
        "{\"a\":1}",
        "-o"
      })
  void whateverImageMountpointAndOverlayAreCalledTheMountIsTheSame(String name) throws IOException {
    Path folder = Files.createDirectory(directory.resolve(name));
    Path image = SmallImage.create(folder.resolve(name));
    Path mountpoint = Files.createDirectory(folder.resolve(name + ".mnt"));
    String overlay = folder.resolve(name + ".over").toString();
    String escaped = overlay.replace("\\", "\\\\").replace(",", "\\,");
    try (MountedImage mount = MountedImage.mountAt(mountpoint, image, "overlay=" + escaped)) {
      SmallImage.assertIsDisk(mount.disk());
      assertThat(optionsOf(mountpoint))
          .contains("nosuid", "nodev")
          .doesNotContain("allow_other", "suid", "ro");
      assertThat(Path.of(overlay)).isRegularFile();
      assertThat(Json.parse(Files.readString(mount.file(".qcowfs/info.json"))).isObject()).isTrue();
    }
  }

  private static List<String> optionsOf(Path mountpoint) {
    Command find = Command.of("findmnt", "-n", "-o", "OPTIONS", "--mountpoint", mountpoint);
    return List.of(find.run().succeeded().stdout().strip().split(",", -1));
  }

  @Test
  void noNameReachesTerminalOrLogAsItIs() throws IOException {
    Path folder = Files.createDirectory(directory.resolve(COMMANDING + FORGED));
    Path image = folder.resolve("vm.qcow2");
    QemuImg.createRaw(folder.resolve("base" + COMMANDING), 1 << 20);
    QemuImg.createOverlay(image, "base" + COMMANDING, "raw");
    QemuImg.snapshot(image, "snap" + COMMANDING + FORGED);
    QemuImg.on(image, "bitmap", "--add", image, "bits" + COMMANDING);
    Path mountpoint = Files.createDirectory(folder.resolve("mnt"));
    Path log;
    try (MountedImage mount = MountedImage.mountAt(mountpoint, image, "ro", "debug")) {
      log = mount.log();
      Files.readString(mount.file(".qcowfs/map.json"));
      try (var snapshots = Files.list(mount.file("snapshots"))) {
        assertThat(snapshots.map(Path::toString).toList()).hasSize(1);
      }
      assertPrintable(Qcowfs.run("mount", image, mountpoint).exited(1));
      assertPrintable(Qcowfs.run("cache", mountpoint).exited(1));
    }
    for (String[] words :
        new String[][] {
          {"info"},
          {"info", "--json"},
          {"info", "--backing-chain"},
          {"map"},
          {"map", "--json"},
          {"check"},
          {"check", "--json"}
        }) {
      assertPrintable(Qcowfs.command((Object[]) words).with(List.of(image)).run().succeeded());
    }
    assertPrintable(Qcowfs.run("map", "--debug", "--snapshot", COMMANDING, image).exited(1));
    assertPrintable(Qcowfs.run("doctor", folder));
    assertPrintable(Qcowfs.run("check", folder.resolve(COMMANDING)).exited(1));
    String logged = Files.readString(log);
    assertThat(logged).contains("u001B");
    assertPrintable("the log", logged);
    assertThat(logged.lines())
        .noneMatch(line -> line.endsWith("INFO  all is well") && line.length() < 60);
  }

  private static void assertPrintable(CommandResult result) {
    assertPrintable(result.command() + ": output", result.stdout());
    assertPrintable(result.command() + ": errors", result.stderr());
  }

  private static void assertPrintable(String what, String text) {
    assertThat(text.codePoints().filter(c -> c != '\n').boxed().toList())
        .as(what)
        .noneMatch(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT);
  }

  @Test
  void aLinkOfSomebodyElseIsNoMountpointForRoot() throws IOException {
    Path image = SmallImage.create(directory.resolve("vm.qcow2"));
    Path place = Files.createDirectory(directory.resolve("place"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), place);
    Command.of("chown", "--no-dereference", "nobody", link).run().succeeded();

    assertThat(Qcowfs.mountRefused(image, link))
        .contains(link + ": ", "symbolic link of another user", place.toString());
  }
}
