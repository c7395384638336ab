package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.qcowfs.session.CacheModeSwitch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code qcowfs cache}: shows or switches the cache mode of a live mount. */
@Command(
    name = "cache",
    description = "Shows the cache mode of a live mount, or switches it.",
    footer = {
      "",
      "Modes: writeback, none, writethrough, directsync, unsafe, volatile. A switch to a stricter",
      "one first flushes what that one promises."
    })
final class CacheCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "MOUNTPOINT", description = "Where the image is mounted.")
  private Path mountpoint;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "MODE",
      description = "The mode to switch to; without it, the mode in force is printed.")
  private @Nullable String mode;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (mode != null) {
      checkName(mode);
    }
    CacheModeSwitch cache = CacheModeSwitch.of(mountpoint);
    if (mode != null) {
      cache.switchTo(mode);
    }
    if (mode == null || json) {
      String now = cache.mode();
      System.out.println(json ? "{\"cache\": \"" + now + "\"}" : now);
      StandardOutput.check();
    }
    return ExitCodes.DONE;
  }

  private void checkName(String name) {
    try {
      CacheModeSwitch.checkName(name);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
