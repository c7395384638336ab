package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.qcowfs.check.CheckReport;
import org.qcowfs.check.ImageCheck;
import org.qcowfs.error.ImageLockedException.WayOut;
import org.qcowfs.image.Images;
import org.qcowfs.image.OpenOptions;
import org.qcowfs.report.CheckJson;
import org.qcowfs.report.CheckText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code qcowfs check}: what is wrong with an image, and its repair. */
@Command(
    name = "check",
    description = "Checks an image that is not in use, and repairs it if asked to.",
    footer = {
      "",
      "-r leaks gives back space that nothing uses, and changes nothing else.",
      "-r all puts everything right: refcounts, flags, overlaps, pointers that lead",
      "nowhere. What such a pointer named is lost already; it reads as zeros from",
      "then on, and the report says which part of the disk that is. What can be read",
      "stays as it is. A repair that was cut short is simply made again.",
      "",
      "Exit codes: 0 clean (now), 1 not checked, 2 corruptions, 3 leaks only."
    })
final class CheckCommand implements Callable<Integer>, ImageUser {
  @Parameters(paramLabel = "IMAGE", description = "The image file.")
  private Path image;

  @Option(
      names = {"-r", "--repair"},
      paramLabel = "leaks|all",
      description = "What to repair; without it, nothing is changed.")
  private @Nullable String repair;

  @Option(names = "--json", description = "Print JSON, as qemu-img check --output=json does.")
  private boolean json;

  @Option(
      names = "--progress",
      negatable = true,
      description = "Show how far the check is; by default, if standard error is a terminal.")
  private @Nullable Boolean progress;

  @Option(
      names = {"-U", "--force-share"},
      description = "Check the image even while another program writes to it.")
  private boolean forceShare;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Images.Repair what = what();
    if (forceShare && what != Images.Repair.NONE) {
      throw new ParameterException(
          spec.commandLine(), "-r and --force-share exclude each other: a repair needs the image");
    }
    OpenOptions options = OpenOptions.defaults().withForceShare(forceShare);
    CheckReport report;
    boolean shown = progress == null ? ProgressLine.isTerminal() : progress;
    ProgressLine line = new ProgressLine(System.err);
    try {
      report = Images.check(image, options, what, shown ? line : ImageCheck.Progress.SILENT);
    } finally {
      line.clear();
    }
    if (json) {
      CheckJson.write(report, image, System.out);
    } else {
      CheckText.write(report, System.out);
    }
    StandardOutput.check();
    if (report.corruptions() > 0) {
      return ExitCodes.CORRUPT;
    }
    return report.leaks() > 0 ? ExitCodes.LEAKS : ExitCodes.DONE;
  }

  @Override
  public String insteadOfWaiting(WayOut wayOut) {
    return switch (wayOut) {
      case WAIT -> "";
      case READ -> ", or check it without -r";
      case FORCE_SHARE ->
          ", or check it with --force-share: what changes meanwhile may look like damage";
    };
  }

  private Images.Repair what() {
    if (repair == null) {
      return Images.Repair.NONE;
    }
    return switch (repair.toLowerCase(Locale.ROOT)) {
      case "leaks" -> Images.Repair.LEAKS;
      case "all" -> Images.Repair.ALL;
      default ->
          throw new ParameterException(
              spec.commandLine(), "'%s' is not what -r knows: leaks or all".formatted(repair));
    };
  }
}
