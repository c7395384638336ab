package org.qcowfs.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code qcowfs umount}. */
@Command(name = "umount", description = "Unmount an image.")
final class UmountCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    return ExitCodes.DONE;
  }
}
