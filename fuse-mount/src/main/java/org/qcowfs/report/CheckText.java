package org.qcowfs.report;

import java.io.IOException;
import java.util.Locale;
import org.qcowfs.check.CheckReport;
import org.qcowfs.check.Finding;

/** What a check has found, to be read: a line for each finding, then the sums. */
public final class CheckText {
  private static final int SHOWN_OF_A_KIND = 40;

  private final Appendable out;

  private CheckText(Appendable out) {
    this.out = out;
  }

  /** Writes the report. Of a flood of findings, the first ones and the number of the rest. */
  public static void write(CheckReport report, Appendable out) throws IOException {
    new CheckText(out).report(report);
  }

  private void report(CheckReport report) throws IOException {
    for (String done : report.repairs()) {
      line("repair: %s", Printable.of(done));
    }
    findings(report, Finding.Kind.CORRUPTION, report.corruptions());
    findings(report, Finding.Kind.LEAK, report.leaks());
    if (report.isClean()) {
      line("No errors were found on the image.");
    }
    sums(report.corruptions(), report.leaks());
    if (report.totalClusters() > 0 && report.allocatedClusters() > 0) {
      line(
          "%d/%d = %.2f%% allocated, %.2f%% fragmented, %.2f%% compressed clusters",
          report.allocatedClusters(),
          report.totalClusters(),
          percent(report.allocatedClusters(), report.totalClusters()),
          percent(report.fragmentedClusters(), report.allocatedClusters()),
          percent(report.compressedClusters(), report.allocatedClusters()));
    }
    line("Image end offset: %d", report.imageEndOffset());
  }

  private void sums(long corruptions, long leaks) throws IOException {
    if (corruptions > 0) {
      line(
          "%d %s: data is in danger or lost. Do not write to the image, but copy it and repair it"
              + " with -r all.",
          corruptions, corruptions == 1 ? "error" : "errors");
    }
    if (leaks > 0) {
      line(
          "%d %s taken by nothing: %s",
          leaks,
          leaks == 1 ? "cluster is" : "clusters are",
          corruptions == 0
              ? "space is wasted, data is safe. -r leaks gives it back."
              : "space is wasted, or belongs to what is damaged. -r all gives it back.");
    }
  }

  private static double percent(long part, long whole) {
    return 100.0 * part / whole;
  }

  private void findings(CheckReport report, Finding.Kind kind, long total) throws IOException {
    int shown = 0;
    long told = 0;
    for (Finding finding : report.findings()) {
      if (finding.kind() == kind && shown < SHOWN_OF_A_KIND) {
        line("%s", Printable.of(finding.text()));
        told += finding.count();
        shown++;
      }
    }
    if (told < total) {
      line("… and %d more of this kind", total - told);
    }
  }

  private void line(String format, Object... values) throws IOException {
    out.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
  }
}
