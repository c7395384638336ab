package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.qcowfs.session.CacheModeSwitch;

/** {@code qcowfs cache}: shows or switches the cache mode of a live mount. */
final class CacheCommand implements Command {
  private final CommandUsage usage =
      new CommandUsage(this, "cache", "Shows the cache mode of a live mount, or switches it.");

  private final Supplier<Path> mountpoint =
      usage.required(0, Path.class, "MOUNTPOINT", "Where the image is mounted.");

  private final Supplier<@Nullable String> wanted =
      usage.optional(
          1,
          String.class,
          "MODE",
          "The mode to switch to; without it, the mode in force is printed.");

  private final BooleanSupplier json = usage.flag("Print JSON.", "--json");

  CacheCommand() {
    usage.footer(
        "",
        "Modes: writeback, none, writethrough, directsync, unsafe, volatile. A switch to a"
            + " stricter",
        "one first flushes what that one promises.");
  }

  @Override
  public CommandUsage usage() {
    return usage;
  }

  @Override
  public Integer call() throws IOException {
    String mode = wanted.get();
    if (mode != null) {
      checkName(mode);
    }
    CacheModeSwitch cache = CacheModeSwitch.of(mountpoint.get());
    if (mode != null) {
      cache.switchTo(mode);
    }
    if (mode == null || json.getAsBoolean()) {
      String now = cache.mode();
      System.out.println(json.getAsBoolean() ? "{\"cache\": \"" + now + "\"}" : now);
      StandardOutput.check();
    }
    return ExitCodes.DONE;
  }

  private void checkName(String name) {
    try {
      CacheModeSwitch.checkName(name);
    } catch (IllegalArgumentException e) {
      throw usage.wrong(e);
    }
  }
}
