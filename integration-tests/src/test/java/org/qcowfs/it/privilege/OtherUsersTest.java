package org.qcowfs.it.privilege;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.SmallImage;
import org.qcowfs.it.kit.TestDirectory;

/** With {@code allow_other}, other users may do what owner, group and modes say, and no more. */
@NeedsMounts
final class OtherUsersTest {
  private static final String OWNER = "nobody";
  private static final String OTHER = "daemon";

  private final Path directory = TestDirectory.create("others");
  private final Path image = SmallImage.create(directory.resolve("vm.qcow2"));

  @AfterEach
  void delete() {
    TestDirectory.delete(directory);
  }

  /** For owner, a member of the group, and anybody else: whether they read and write. */
  @ParameterizedTest
  @CsvSource({
    "rw, 077, rw, --, --",
    "rw, 027, rw, r-, --",
    "rw, 022, rw, r-, r-",
    "rw, 007, rw, rw, --",
    "rw, 000, rw, rw, rw",
    "ro, 000, r-, r-, r-"
  })
  void modesDecideWhoReadsAndWrites(
      String access, String umask, String owner, String group, String other) throws IOException {
    String uid = "uid=" + idOf("-u", OWNER);
    String gid = "gid=" + idOf("-g", OWNER);
    try (MountedImage mount =
        MountedImage.mount(image, access, "allow_other", uid, gid, "umask=" + umask)) {
      assertThat(rights(OWNER, "nogroup", mount.disk())).as("owner").isEqualTo(owner);
      assertThat(rights(OTHER, "nogroup", mount.disk())).as("group").isEqualTo(group);
      assertThat(rights(OTHER, OTHER, mount.disk())).as("anybody else").isEqualTo(other);
    }
  }

  @Test
  void theRootOfTheMountingUserPassesBesideTheModes() {
    try (MountedImage mount = MountedImage.mount(image, "rw", "allow_other", "umask=777")) {
      SmallImage.assertIsDisk(mount.disk());
    }
  }

  @Test
  void withoutAllowOtherModesOpenNothing() throws IOException {
    try (MountedImage mount = MountedImage.mount(image, "rw", "umask=000")) {
      assertThat(rights(OTHER, OTHER, mount.disk())).isEqualTo("--");
      assertThat(Files.isReadable(mount.disk())).isTrue();
    }
  }

  private static String idOf(String option, String user) {
    return Command.of("id", option, user).run().succeeded().stdout().strip();
  }

  private static String rights(String user, String group, Path disk) {
    String read = "head -c 512 %s > /dev/null".formatted(disk);
    String write =
        "head -c 512 /dev/zero | tr '\\0' %s | dd of=%s conv=notrunc status=none"
            .formatted(SmallImage.character(), disk);
    return (can(user, group, read) ? "r" : "-") + (can(user, group, write) ? "w" : "-");
  }

  private static boolean can(String user, String group, String script) {
    return Command.of("sh", "-c", script)
            .under("setpriv", "--reuid=" + user, "--regid=" + group, "--clear-groups")
            .run()
            .exitCode()
        == 0;
  }
}
