package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.qcowfs.doctor.Doctor;
import org.qcowfs.doctor.DoctorReport;
import org.qcowfs.doctor.Finding;
import org.qcowfs.report.Printable;

/** {@code qcowfs doctor}: what this machine lacks for a mount, and the command that mends it. */
final class DoctorCommand implements Command {
  private final CommandUsage usage =
      new CommandUsage(
          this, "doctor", "Says what is missing for a mount, and the command that mends it.");

  private final Supplier<@Nullable Path> directory =
      usage.optional(
          0,
          Path.class,
          "DIRECTORY",
          "Where images lie: locks are tried there. Default: the current directory.");

  private final BooleanSupplier json = usage.flag("Print JSON.", "--json");

  DoctorCommand() {
    usage.footer("", "Exit codes: 0 a mount would work, 1 it would not, 2 wrong usage.");
  }

  @Override
  public CommandUsage usage() {
    return usage;
  }

  @Override
  public Integer call() throws IOException {
    Path place = Objects.requireNonNullElse(directory.get(), Path.of(""));
    List<Finding> findings = Doctor.examine(place.toAbsolutePath().normalize());
    System.out.print(
        json.getAsBoolean()
            ? new DoctorReport(findings).json()
            : new DoctorReport(findings.stream().map(DoctorCommand::printable).toList()).text());
    return Doctor.isReady(findings) ? ExitCodes.DONE : ExitCodes.FAILED;
  }

  private static Finding printable(Finding finding) {
    return new Finding(
        finding.name(),
        finding.status(),
        Printable.of(finding.detail()),
        finding.remedy().map(Printable::of));
  }
}
