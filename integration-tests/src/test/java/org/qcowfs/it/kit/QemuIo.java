package org.qcowfs.it.kit;

import com.google.errorprone.annotations.FormatMethod;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A list of commands for one run of QEMU's {@code qemu-io} on an image: it changes guest data as a
 * virtual machine would. Offsets and lengths are bytes. Not thread-safe.
 */
public final class QemuIo {
  private final List<String> commands = new ArrayList<>();

  /** Writes a range full of one byte. */
  public QemuIo write(int pattern, long offset, long length) {
    return add("write -q -P %d %d %d", pattern, offset, length);
  }

  /** Writes a range with the contents of a file, repeated. */
  public QemuIo writeFrom(Path source, long offset, long length) {
    return add("write -q -s %s %d %d", source, offset, length);
  }

  /** Writes whole clusters compressed, from a file. */
  public QemuIo writeCompressed(Path source, long offset, long length) {
    return add("write -q -c -s %s %d %d", source, offset, length);
  }

  /** Writes zeroes and keeps the clusters, where there are any. */
  public QemuIo writeZeroes(long offset, long length) {
    return add("write -q -z %d %d", offset, length);
  }

  /** Writes zeroes and may give the clusters back. */
  public QemuIo writeZeroesAndUnmap(long offset, long length) {
    return add("write -q -z -u %d %d", offset, length);
  }

  /** Says that the contents of a range are no longer needed. */
  public QemuIo discard(long offset, long length) {
    return add("discard -q %d %d", offset, length);
  }

  @FormatMethod
  private QemuIo add(String format, Object... values) {
    commands.add(format.formatted(values));
    return this;
  }

  /** Carries the commands out on a qcow2 image; asserts that each succeeds. */
  public void run(Path image) {
    runOn("qcow2", image);
  }

  /** Carries the commands out on a raw image; asserts that each succeeds. */
  public void runRaw(Path image) {
    runOn("raw", image);
  }

  private void runOn(String format, Path image) {
    List<String> arguments = new ArrayList<>();
    for (String command : commands) {
      arguments.add("-c");
      arguments.add(command);
    }
    arguments.add(image.toString());
    Command command = Command.of("qemu-io", "-f", format).with(arguments);
    command.in(image.toAbsolutePath().getParent()).run().succeeded();
  }
}
