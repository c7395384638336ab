package org.qcowfs.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code qcowfs mount}. */
@Command(name = "mount", description = "Mount an image.")
final class MountCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    return ExitCodes.DONE;
  }
}
