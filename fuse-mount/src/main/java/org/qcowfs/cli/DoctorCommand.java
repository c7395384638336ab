package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.qcowfs.doctor.Doctor;
import org.qcowfs.doctor.DoctorReport;
import org.qcowfs.doctor.Finding;
import org.qcowfs.report.Printable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code qcowfs doctor}: what this machine lacks for a mount, and the command that mends it. */
@Command(
    name = "doctor",
    description = "Says what is missing for a mount, and the command that mends it.",
    footer = {"", "Exit codes: 0 a mount would work, 1 it would not, 2 wrong usage."})
final class DoctorCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..1",
      paramLabel = "DIRECTORY",
      defaultValue = "",
      description = "Where images lie: locks are tried there. Default: the current directory.")
  private Path directory = Path.of("");

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    List<Finding> findings = Doctor.examine(directory.toAbsolutePath().normalize());
    System.out.print(
        json
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
