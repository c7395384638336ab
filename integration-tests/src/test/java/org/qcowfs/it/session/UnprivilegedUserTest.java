package org.qcowfs.it.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.CommandResult;
import org.qcowfs.it.kit.Marked;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.PrivateMounts;
import org.qcowfs.it.kit.Qcowfs;
import org.qcowfs.it.kit.SmallImage;
import org.qcowfs.it.kit.TestDirectory;

/** An ordinary user needs no root for an image of their own, and has it to themselves. */
@NeedsMounts
final class UnprivilegedUserTest {
  private static final String OWNER = "nobody";
  private static final String OTHER = "daemon";

  private final Marked mark = new Marked();
  private PrivateMounts machine = PrivateMounts.withFuseForEverybody();
  private Path home = Path.of("");
  private Path mountpoint = Path.of("");
  private Path image = Path.of("");

  @BeforeEach
  void createHome() throws IOException {
    home = TestDirectory.create("home");
    mountpoint = Files.createDirectory(home.resolve("mnt"));
    image = SmallImage.create(home.resolve("vm.qcow2"));
    Command.of("chown", "-R", OWNER, home).run().succeeded();
  }

  @AfterEach
  void endTheNamespace() {
    mark.kill();
    machine.close();
  }

  @Test
  void aUserMountsReadsAndUnmounts() {
    mount();
    assertThat(foreignBytes(OWNER).succeeded().stdout()).isEqualTo("0\n");

    as(OWNER, Qcowfs.command("umount", mountpoint)).run().succeeded();

    assertThat(machine.below(mountpoint)).isEmpty();
    assertThat(mark.processes()).isEmpty();
  }

  @Test
  void anotherUserIsKeptOut() {
    mount();
    assertThat(foreignBytes(OTHER).stderr()).contains("Permission denied");
    assertThat(machine.inside(Command.of("ls", mountpoint)).run().stderr())
        .as("root, too, is another user")
        .contains("Permission denied");
    as(OWNER, Qcowfs.command("umount", mountpoint)).run().succeeded();
  }

  @Test
  void theFilesBelongToTheUserWhoMounted() {
    mount();
    Command stat = Command.of("stat", "--format=%U %a", mountpoint.resolve("disk.raw"));
    assertThat(as(OWNER, stat).run().succeeded().stdout()).isEqualTo("nobody 400\n");
    as(OWNER, Qcowfs.command("umount", mountpoint)).run().succeeded();
  }

  @Test
  void withoutAHomeDirectoryAMountWorksToo() {
    Command mount = Qcowfs.mountCommand(image, mountpoint);
    mark.mark(machine.insideAs(OWNER, Path.of("/nonexistent"), mount)).run().succeeded();
    as(OWNER, Qcowfs.command("umount", mountpoint)).run().succeeded();
    assertThat(mark.processes()).isEmpty();
  }

  @Test
  void anImageOfSomebodyElsesIsRefused() throws IOException {
    Command.of("chown", "root", image).run().succeeded();
    Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("rw-------"));
    assertThat(refusal()).contains(image.toString()).containsIgnoringCase("permission");
  }

  @Test
  void anImageThatAUserMayOnlyReadIsMountedReadOnlyAndElseRefusedWithThatHint() throws IOException {
    Command.of("chown", "root", image).run().succeeded();
    Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("rw-r--r--"));

    Command writing = as(OWNER, Qcowfs.mountCommand(image, mountpoint, "rw"));
    assertThat(Qcowfs.refused(writing, mountpoint, 1))
        .contains(image.toString(), "no permission to write", "-o ro");
    Command repair = as(OWNER, Qcowfs.command("check", "-r", "all", image));
    assertThat(repair.run().refused()).contains(image.toString(), "only read the image");

    mount();
    assertThat(foreignBytes(OWNER).succeeded().stdout()).isEqualTo("0\n");
    as(OWNER, Qcowfs.command("umount", mountpoint)).run().succeeded();
  }

  @Test
  void aMountpointOfSomebodyElsesIsRefused() {
    Command.of("chown", "root", mountpoint).run().succeeded();
    assertThat(refusal()).contains(mountpoint.toString());
  }

  @Test
  void withoutTheRightToUseFuseTheWayOutIsNamed() {
    machine.inside(Command.of("chmod", "0600", "/dev/fuse")).run().succeeded();
    assertThat(refusal()).contains("/dev/fuse").containsPattern("(?i)permission|chmod|may not");
    CommandResult doctor = as(OWNER, Qcowfs.command("doctor")).run().exited(1);
    assertThat(doctor.stdout()).contains("/dev/fuse").contains("chmod");
  }

  @Test
  void allowOtherAsAUserNamesTheSettingItNeeds() {
    Command mount = as(OWNER, Qcowfs.mountCommand(image, mountpoint, "allow_other"));
    assertThat(Qcowfs.refused(mount, mountpoint, 1)).contains("user_allow_other", "/etc/fuse.conf");
    assertThat(machine.below(mountpoint)).isEmpty();
  }

  private void mount() {
    mark.mark(as(OWNER, Qcowfs.mountCommand(image, mountpoint))).run().succeeded();
    assertThat(machine.below(mountpoint)).containsExactly(mountpoint.toString());
  }

  private String refusal() {
    String line = Qcowfs.refused(as(OWNER, Qcowfs.mountCommand(image, mountpoint)), mountpoint, 1);
    assertThat(machine.below(mountpoint)).isEmpty();
    return line;
  }

  /** How many bytes of the disk are not those of the image, as that user sees it. */
  private CommandResult foreignBytes(String user) {
    String count = "tr -d %s < %s/disk.raw | wc -c".formatted(SmallImage.character(), mountpoint);
    return as(user, Command.of("sh", "-c", count)).run();
  }

  private Command as(String user, Command command) {
    return machine.insideAs(user, home, command);
  }
}
