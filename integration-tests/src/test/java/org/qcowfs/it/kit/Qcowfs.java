package org.qcowfs.it.kit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The command under test, run as a user runs it. */
public final class Qcowfs {
  /** Far above what any of its commands may take here: running into it means that it hangs. */
  private static final Duration DEADLINE = Duration.ofSeconds(20);

  private Qcowfs() {}

  /** A command line that begins with the launcher. */
  public static Command command(Object... arguments) {
    return Command.of(Checkout.launcher()).with(List.of(arguments)).within(DEADLINE);
  }

  /** Runs it to its end. */
  public static CommandResult run(Object... arguments) {
    return command(arguments).run();
  }

  /**
   * Asserts that a mount is refused as the contract has it: exit code 1, one line that explains,
   * nothing mounted, no process left.
   *
   * @return the line
   */
  public static String mountRefused(Path image, Path mountpoint, String... options) {
    return refused(mountCommand(image, mountpoint, options), mountpoint, 1);
  }

  /** The same for any command and exit code; {@code mountpoint} is where nothing may be mounted. */
  public static String refused(Command command, Path mountpoint, int exitCode) {
    List<String> before = MountTable.below(mountpoint);
    Marked mark = new Marked();
    try {
      String line = mark.mark(command).run().refusedWith(exitCode);
      mark.processes().forEach(Command::awaitEnd); // one may still be on its way out, but must go
      assertThat(MountTable.below(mountpoint)).as("mounts left by %s", command).isEqualTo(before);
      return line;
    } finally {
      mark.kill();
      MountTable.clearDownTo(before, mountpoint);
    }
  }

  /**
   * The command line of a mount; options are joined with commas. It is read-only, unless an option
   * asks to write, and accelerated as {@link Accelerator} has it.
   */
  public static Command mountCommand(Path image, Path mountpoint, String... options) {
    List<String> all = new ArrayList<>(List.of(options));
    if (all.stream().noneMatch(Qcowfs::asksToWrite)) {
      all.add(0, "ro");
    }
    if (!Accelerator.ON && all.stream().noneMatch(one -> one.startsWith("accelerate="))) {
      all.add("accelerate=off");
    }
    return command("mount", image, mountpoint).with(List.of("-o", String.join(",", all)));
  }

  /** Switches the cache mode of a mounted disk, as {@code setfattr} does. */
  public static void setCacheMode(Path disk, String mode) {
    try {
      var unused =
          Files.getFileAttributeView(disk, UserDefinedFileAttributeView.class)
              .write("qcowfs.cache", ByteBuffer.wrap(mode.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean asksToWrite(String option) {
    return option.equals("rw") || option.startsWith("overlay=") || option.startsWith("cache=");
  }
}
