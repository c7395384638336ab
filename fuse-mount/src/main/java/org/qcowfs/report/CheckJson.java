package org.qcowfs.report;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Locale;
import org.qcowfs.check.CheckReport;
import org.qcowfs.check.Finding;
import org.qcowfs.image.ImageFormat;

/** What {@code qemu-img check --output=json} says of an image, and the findings one by one. */
public final class CheckJson {
  private CheckJson() {}

  /** Writes one object; leaves the stream open. Numbers that are 0 are left out, as QEMU does. */
  public static void write(CheckReport report, Path file, OutputStream out) throws IOException {
    try (JsonGenerator json = JsonLayout.generator(out, new JsonLayout())) {
      json.writeStartObject();
      number(json, "image-end-offset", report.imageEndOffset());
      number(json, "total-clusters", report.totalClusters());
      json.writeNumberField("check-errors", report.checkErrors());
      number(json, "corruptions", report.corruptions());
      number(json, "leaks", report.leaks());
      number(json, "corruptions-fixed", report.correctionsOfCorruptions());
      number(json, "leaks-fixed", report.returnedLeaks());
      number(json, "allocated-clusters", report.allocatedClusters());
      number(json, "fragmented-clusters", report.fragmentedClusters());
      number(json, "compressed-clusters", report.compressedClusters());
      json.writeStringField("filename", file.toString());
      json.writeStringField("format", ImageFormat.QCOW2.formatName());
      findings(json, report);
      json.writeEndObject();
      json.writeRaw('\n');
    }
  }

  private static void number(JsonGenerator json, String name, long value) throws IOException {
    if (value != 0) {
      json.writeNumberField(name, value);
    }
  }

  private static void findings(JsonGenerator json, CheckReport report) throws IOException {
    json.writeArrayFieldStart("findings");
    for (Finding finding : report.findings()) {
      json.writeStartObject();
      json.writeStringField("kind", finding.kind().name().toLowerCase(Locale.ROOT));
      json.writeStringField("structure", finding.structure());
      offset(json, "index", finding.index());
      offset(json, "host-offset", finding.hostOffset());
      offset(json, "guest-offset", finding.guestOffset());
      json.writeNumberField("count", finding.count());
      json.writeStringField("problem", finding.problem());
      json.writeStringField("consequence", finding.consequence());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("repairs");
    for (String done : report.repairs()) {
      json.writeString(done);
    }
    json.writeEndArray();
  }

  private static void offset(JsonGenerator json, String name, long value) throws IOException {
    if (value != Finding.NONE) {
      json.writeNumberField(name, value);
    }
  }
}
