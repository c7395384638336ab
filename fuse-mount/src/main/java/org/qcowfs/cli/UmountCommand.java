package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.qcowfs.report.Printable;
import org.qcowfs.session.Unmounting;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code qcowfs umount}: takes a mount away. */
@Command(
    name = "umount",
    description = "Unmounts; returns when everything is flushed and the daemon has ended.")
final class UmountCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "MOUNTPOINT",
      description = "The directory or file that an image is mounted at.")
  private Path mountpoint;

  @Override
  public Integer call() throws IOException {
    Unmounting.unmount(mountpoint)
        .ifPresent(note -> System.err.println("qcowfs: " + Printable.of(note)));
    return ExitCodes.DONE;
  }
}
