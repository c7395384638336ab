package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.qcowfs.error.ImageLockedException.WayOut;
import org.qcowfs.fuse.StandardStreams;
import org.qcowfs.report.Printable;
import org.qcowfs.session.Launcher;
import org.qcowfs.session.MountOptionException;
import org.qcowfs.session.MountOptions;
import org.qcowfs.session.MountRequest;
import org.qcowfs.session.MountSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code qcowfs mount}: shows the disk in an image, until somebody unmounts it. */
@Command(
    name = "mount",
    description = "Mounts an image; returns when the mount answers.",
    footer = {
      "",
      "Mount options: ro, rw (default), format=qcow2|raw, backing_format=qcow2|raw,",
      "references=same-dir|none|any|DIR[:DIR...], snapshot=NAME, force_share,",
      "cache=writeback|none|writethrough|directsync|unsafe|volatile, discard=unmap|ignore,",
      "detect_zeroes=off|on|unmap, flush_interval=SECONDS, lazy_refcounts=on|off, allow_shrink,",
      "drop_bitmaps, overlay=discard|FILE, l2_cache_size=BYTES[K|M|G],",
      "refcount_cache_size=BYTES[K|M|G], accelerate=on|off, allow_other, uid=N, gid=N,",
      "umask=OCTAL, threads=N, debug"
    })
final class MountCommand implements Callable<Integer>, ImageUser {
  @Parameters(index = "0", paramLabel = "IMAGE", description = "The image file.")
  private Path image;

  @Parameters(
      index = "1",
      paramLabel = "MOUNTPOINT",
      description = "An empty directory, to show everything in; or a file, to show the disk as.")
  private Path mountpoint;

  @Option(
      names = "-o",
      paramLabel = "OPT[,OPT...]",
      description = "Mount options, see below. May be given several times.")
  private List<String> optionLists = new ArrayList<>();

  @Option(
      names = {"-f", "--foreground"},
      description = "Stay in the foreground and log to the terminal.")
  private boolean foreground;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException, InterruptedException {
    MountOptions options = parseOptions();
    Logging.configureAtLeast(options.debug() ? Verbosity.DEBUG : Verbosity.VERBOSE);
    Launcher launcher = Launcher.current();
    boolean daemon = launcher.isWaiting() && !foreground;
    MountSession session =
        MountSession.start(
            new MountRequest(image, mountpoint, options, daemon), MountCommand::halt);
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
    if (Logging.verbosity() == Verbosity.DEBUG) {
      optionLists.add("debug");
    }
    try {
      return MountOptions.parse(optionLists);
    } catch (MountOptionException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
