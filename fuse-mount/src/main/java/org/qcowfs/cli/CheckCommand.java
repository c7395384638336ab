package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.qcowfs.check.CheckReport;
import org.qcowfs.check.ImageCheck;
import org.qcowfs.error.ImageLockedException.WayOut;
import org.qcowfs.image.Images;
import org.qcowfs.image.OpenOptions;
import org.qcowfs.report.CheckJson;
import org.qcowfs.report.CheckText;

/** {@code qcowfs check}: what is wrong with an image, and its repair. */
final class CheckCommand implements Command, ImageUser {
  private static final String[] FOOTER = {
    "",
    "-r leaks gives back space that nothing uses, and changes nothing else.",
    "-r all puts everything right: refcounts, flags, overlaps, pointers that lead",
    "nowhere. What such a pointer named is lost already; it reads as zeros from",
    "then on, and the report says which part of the disk that is. What can be read",
    "stays as it is. A repair that was cut short is simply made again.",
    "",
    "Exit codes: 0 clean (now), 1 not checked, 2 corruptions, 3 leaks only."
  };

  private final CommandUsage usage =
      new CommandUsage(
          this, "check", "Checks an image that is not in use, and repairs it if asked to.");

  private final Supplier<Path> image = usage.required(0, Path.class, "IMAGE", "The image file.");

  private final Supplier<@Nullable String> repair =
      usage.text("leaks|all", "What to repair; without it, nothing is changed.", "-r", "--repair");

  private final BooleanSupplier json =
      usage.flag("Print JSON, as qemu-img check --output=json does.", "--json");

  private final Supplier<@Nullable Boolean> progress =
      usage.choice(
          "Show how far the check is; by default, if standard error is a terminal.", "--progress");

  private final BooleanSupplier forceShare =
      usage.flag("Check the image even while another program writes to it.", "-U", "--force-share");

  CheckCommand() {
    usage.footer(FOOTER);
  }

  @Override
  public CommandUsage usage() {
    return usage;
  }

  @Override
  public Integer call() throws IOException {
    Images.Repair what = what();
    if (forceShare.getAsBoolean() && what != Images.Repair.NONE) {
      throw usage.wrong("-r and --force-share exclude each other: a repair needs the image");
    }
    OpenOptions options = OpenOptions.defaults().withForceShare(forceShare.getAsBoolean());
    CheckReport report;
    Boolean wanted = progress.get();
    boolean shown = wanted == null ? ProgressLine.isTerminal() : wanted;
    ProgressLine line = new ProgressLine(System.err);
    try {
      report = Images.check(image.get(), options, what, shown ? line : ImageCheck.Progress.SILENT);
    } finally {
      line.clear();
    }
    if (json.getAsBoolean()) {
      CheckJson.write(report, image.get(), System.out);
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
    String name = repair.get();
    if (name == null) {
      return Images.Repair.NONE;
    }
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "leaks" -> Images.Repair.LEAKS;
      case "all" -> Images.Repair.ALL;
      default -> throw usage.wrong("'%s' is not what -r knows: leaks or all".formatted(name));
    };
  }
}
