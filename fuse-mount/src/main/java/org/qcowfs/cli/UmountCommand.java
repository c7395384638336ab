package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.qcowfs.report.Printable;
import org.qcowfs.session.Unmounting;

/** {@code qcowfs umount}: takes a mount away. */
final class UmountCommand implements Command {
  private final CommandUsage usage =
      new CommandUsage(
          this, "umount", "Unmounts; returns when everything is flushed and the daemon has ended.");

  private final Supplier<Path> mountpoint =
      usage.required(
          0, Path.class, "MOUNTPOINT", "The directory or file that an image is mounted at.");

  @Override
  public CommandUsage usage() {
    return usage;
  }

  @Override
  public Integer call() throws IOException {
    Unmounting.unmount(mountpoint.get())
        .ifPresent(note -> System.err.println("qcowfs: " + Printable.of(note)));
    return ExitCodes.DONE;
  }
}
