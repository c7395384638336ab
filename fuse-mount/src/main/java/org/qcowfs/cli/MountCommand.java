package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.qcowfs.error.ImageLockedException.WayOut;
import org.qcowfs.fuse.StandardStreams;
import org.qcowfs.report.Printable;
import org.qcowfs.session.Launcher;
import org.qcowfs.session.MountOptionException;
import org.qcowfs.session.MountOptions;
import org.qcowfs.session.MountRequest;
import org.qcowfs.session.MountSession;

/** {@code qcowfs mount}: shows the disk in an image, until somebody unmounts it. */
final class MountCommand implements Command, ImageUser {
  private static final String[] FOOTER = {
    "",
    "Mount options: ro, rw (default), format=qcow2|raw, backing_format=qcow2|raw,",
    "references=same-dir|none|any|DIR[:DIR...], snapshot=NAME, force_share,",
    "cache=writeback|none|writethrough|directsync|unsafe|volatile, discard=unmap|ignore,",
    "detect_zeroes=off|on|unmap, flush_interval=SECONDS, lazy_refcounts=on|off, allow_shrink,",
    "drop_bitmaps, overlay=discard|FILE, l2_cache_size=BYTES[K|M|G],",
    "refcount_cache_size=BYTES[K|M|G], accelerate=on|off, allow_other, uid=N, gid=N,",
    "umask=OCTAL, threads=N, debug"
  };

  private final CommandUsage usage =
      new CommandUsage(this, "mount", "Mounts an image; returns when the mount answers.");

  private final Supplier<Path> image = usage.required(0, Path.class, "IMAGE", "The image file.");

  private final Supplier<Path> mountpoint =
      usage.required(
          1,
          Path.class,
          "MOUNTPOINT",
          "An empty directory, to show everything in; or a file, to show the disk as.");

  private final Supplier<List<String>> optionLists =
      usage.texts("OPT[,OPT...]", "Mount options, see below. May be given several times.", "-o");

  private final BooleanSupplier foreground =
      usage.flag("Stay in the foreground and log to the terminal.", "-f", "--foreground");

  MountCommand() {
    usage.footer(FOOTER);
  }

  @Override
  public CommandUsage usage() {
    return usage;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    MountOptions options = parseOptions();
    Logging.configureAtLeast(options.debug() ? Verbosity.DEBUG : Verbosity.VERBOSE);
    Launcher launcher = Launcher.current();
    boolean daemon = launcher.isWaiting() && !foreground.getAsBoolean();
    MountSession session =
        MountSession.start(
            new MountRequest(image.get(), mountpoint.get(), options, daemon), MountCommand::halt);
    try {
      report(session, launcher, daemon);
    } catch (IOException e) {
      session.unmount();
      session.awaitEnd();
      throw e;
    }
    return session.awaitEnd() ? ExitCodes.DONE : ExitCodes.FAILED;
  }

  @Override
  public String insteadOfWaiting(WayOut wayOut) {
    return switch (wayOut) {
      case WAIT -> "";
      case READ -> ", or read along with -o ro";
      case FORCE_SHARE -> ", or read along at your own risk with -o ro,force_share";
    };
  }

  private static void halt(boolean flushed) {
    Runtime.getRuntime().halt(flushed ? ExitCodes.DONE : ExitCodes.FAILED);
  }

  private static void report(MountSession session, Launcher launcher, boolean daemon)
      throws IOException {
    launcher.print(Printable.of(session.describe()));
    if (!daemon) {
      return;
    }
    session.moveToBackground();
    if (!launcher.reportExit(ExitCodes.DONE)) {
      session.unmount(); // whoever wanted the mount has given up waiting for it
    }
    StandardStreams.dropOutput();
  }

  private MountOptions parseOptions() {
    List<String> lists = new ArrayList<>(optionLists.get());
    if (Logging.verbosity() == Verbosity.DEBUG) {
      lists.add("debug");
    }
    try {
      return MountOptions.parse(lists);
    } catch (MountOptionException e) {
      throw usage.wrong(e);
    }
  }
}
