package org.qcowfs.report;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import java.io.IOException;
import java.io.OutputStream;
import org.qcowfs.image.Extent;

/** What {@code qemu-img map --output=json} says of a disk, one extent a line. */
public final class MapJson {
  private final JsonGenerator json;
  private boolean empty = true;

  private MapJson(JsonGenerator json) {
    this.json = json;
  }

  /** Writes the map as it is read, holding none of it in memory; leaves the stream open. */
  public static void write(AllocationMap map, OutputStream out) throws IOException {
    try (JsonGenerator json = JsonLayout.generator(out, new ExtentALine())) {
      new MapJson(json).write(map);
    }
  }

  private void write(AllocationMap map) throws IOException {
    json.writeStartArray();
    map.visit(this::extent);
    if (empty) {
      extent(nothingAt(map.start()));
    }
    json.writeEndArray();
    json.writeRaw('\n');
  }

  /** QEMU never lists nothing. */
  private static Extent nothingAt(long start) {
    return new Extent(start, 0, 0, false, false, false, false, Extent.NO_HOST_OFFSET, null);
  }

  private void extent(Extent extent) throws IOException {
    empty = false;
    json.writeStartObject();
    json.writeNumberField("start", extent.start());
    json.writeNumberField("length", extent.length());
    json.writeNumberField("depth", extent.depth());
    json.writeBooleanField("present", extent.present());
    json.writeBooleanField("zero", extent.zero());
    json.writeBooleanField("data", extent.data());
    if (extent.hostOffset() != Extent.NO_HOST_OFFSET) {
      json.writeNumberField("offset", extent.hostOffset());
    }
    json.writeEndObject();
  }

  private static final class ExtentALine extends MinimalPrettyPrinter {
    private static final long serialVersionUID = 1L;

    @Override
    public void writeStartObject(JsonGenerator json) throws IOException {
      json.writeRaw("{ ");
    }

    @Override
    public void writeObjectFieldValueSeparator(JsonGenerator json) throws IOException {
      json.writeRaw(": ");
    }

    @Override
    public void writeObjectEntrySeparator(JsonGenerator json) throws IOException {
      json.writeRaw(", ");
    }

    @Override
    public void writeArrayValueSeparator(JsonGenerator json) throws IOException {
      json.writeRaw(",\n");
    }
  }
}
