package org.qcowfs.doctor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;

/** Renders findings. */
public final class DoctorReport {
  private static final int LAST_PRINTABLE_ASCII = '~';

  private final List<Finding> findings;

  public DoctorReport(List<Finding> findings) {
    this.findings = List.copyOf(findings);
  }

  /** Lines for people: each finding, below it what mends it, and the sum of it all. */
  public String text() {
    StringBuilder text = new StringBuilder();
    for (Finding finding : findings) {
      text.append(
          String.format(
              Locale.ROOT,
              "%-8s %-15s %s%n",
              finding.status().word(),
              finding.name(),
              finding.detail()));
      finding
          .remedy()
          .ifPresent(remedy -> text.append(String.format(Locale.ROOT, "%25s-> %s%n", "", remedy)));
    }
    text.append(
        Doctor.isReady(findings)
            ? "A mount would work."
            : "A mount would not work yet: do what stands behind the arrows.");
    return text.append(System.lineSeparator()).toString();
  }

  /**
   * An object with {@code ready} and the list {@code checks}, each with {@code name}, {@code
   * status} ({@code ok}, {@code warning} or {@code missing}), {@code detail} and, unless it is ok,
   * {@code remedy}.
   */
  public String json() {
    StringWriter json = new StringWriter();
    try (JsonGenerator generator = new JsonFactory().createGenerator(json)) {
      generator.useDefaultPrettyPrinter();
      generator.setHighestNonEscapedChar(LAST_PRINTABLE_ASCII);
      generator.writeStartObject();
      generator.writeBooleanField("ready", Doctor.isReady(findings));
      generator.writeArrayFieldStart("checks");
      for (Finding finding : findings) {
        write(finding, generator);
      }
      generator.writeEndArray();
      generator.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("a string can always be written to", e);
    }
    return json.append(System.lineSeparator()).toString();
  }

  private static void write(Finding finding, JsonGenerator generator) throws IOException {
    generator.writeStartObject();
    generator.writeStringField("name", finding.name());
    generator.writeStringField("status", finding.status().word());
    generator.writeStringField("detail", finding.detail());
    if (finding.remedy().isPresent()) {
      generator.writeStringField("remedy", finding.remedy().get());
    }
    generator.writeEndObject();
  }
}
