package org.qcowfs.it.kit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * A mount namespace of its own, in which the machine can be made to look different: without {@code
 * /dev/fuse}, without libfuse, or with a {@code /dev/fuse} that everybody may use. The machine
 * itself stays as it is. {@link #close} ends the namespace and every mount in it.
 */
public final class PrivateMounts implements AutoCloseable {
  private static final String READY = "ready";

  private final Process holder;

  private PrivateMounts(Process holder) {
    this.holder = holder;
  }

  /** Makes a namespace and runs the lines of shell script in it. */
  public static PrivateMounts create(String... setUp) {
    String script = "set -e; " + String.join("; ", setUp) + "; echo " + READY + "; exec cat";
    ProcessBuilder builder =
        new ProcessBuilder("unshare", "--mount", "--propagation", "private", "sh", "-c", script)
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    try {
      Process holder = builder.start();
      BufferedReader said = holder.inputReader(StandardCharsets.UTF_8);
      assertThat(said.readLine()).as("set-up of a mount namespace: %s", script).isEqualTo(READY);
      return new PrivateMounts(holder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A namespace in which every user may open {@code /dev/fuse}, as distributions have it. */
  public static PrivateMounts withFuseForEverybody() {
    Path node = TestDirectory.create("dev").resolve("fuse");
    return create("mknod -m 0666 " + node + " c 10 229", "mount --bind " + node + " /dev/fuse");
  }

  /** The command, run in the namespace. */
  public Command inside(Command command) {
    return command.under("nsenter", "--mount=/proc/" + holder.pid() + "/ns/mnt", "--wdns=/");
  }

  /**
   * The command, run in the namespace by another user who has nothing but what that name brings.
   */
  public Command insideAs(String user, Path home, Command command) {
    return inside(
        command
            .under("setpriv", "--reuid=" + user, "--regid=nogroup", "--clear-groups")
            .env("HOME", home.toString()));
  }

  /** The mountpoints in the namespace at or below a directory. */
  public List<String> below(Path directory) {
    return MountTable.below(directory, holder.toHandle());
  }

  @Override
  public void close() {
    holder.destroyForcibly();
    Command.awaitEnd(holder.toHandle());
  }
}
