package org.qcowfs.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.PrettyPrinter;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** Lays JSON out in lines of four spaces a level. One for each document: it counts the levels. */
final class JsonLayout implements PrettyPrinter {
  private static final JsonFactory FACTORY = new JsonFactory();

  private int level;

  /** A generator for one document, which leaves the stream open and escapes all but plain ASCII. */
  static JsonGenerator generator(OutputStream out, PrettyPrinter layout) throws IOException {
    JsonGenerator json = FACTORY.createGenerator(out);
    json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
    json.setCharacterEscapes(new DeleteEscaped());
    json.setHighestNonEscapedChar(DeleteEscaped.DELETE);
    json.setPrettyPrinter(layout);
    return json;
  }

  @Override
  public void writeRootValueSeparator(JsonGenerator json) throws IOException {
    json.writeRaw('\n');
  }

  @Override
  public void writeStartObject(JsonGenerator json) throws IOException {
    json.writeRaw('{');
    level++;
  }

  @Override
  public void writeEndObject(JsonGenerator json, int entryCount) throws IOException {
    level--;
    newLine(json);
    json.writeRaw('}');
  }

  @Override
  public void beforeObjectEntries(JsonGenerator json) throws IOException {
    newLine(json);
  }

  @Override
  public void writeObjectEntrySeparator(JsonGenerator json) throws IOException {
    json.writeRaw(',');
    newLine(json);
  }

  @Override
  public void writeObjectFieldValueSeparator(JsonGenerator json) throws IOException {
    json.writeRaw(": ");
  }

  @Override
  public void writeStartArray(JsonGenerator json) throws IOException {
    json.writeRaw('[');
    level++;
  }

  @Override
  public void writeEndArray(JsonGenerator json, int valueCount) throws IOException {
    level--;
    newLine(json);
    json.writeRaw(']');
  }

  @Override
  public void beforeArrayValues(JsonGenerator json) throws IOException {
    newLine(json);
  }

  @Override
  public void writeArrayValueSeparator(JsonGenerator json) throws IOException {
    json.writeRaw(',');
    newLine(json);
  }

  private void newLine(JsonGenerator json) throws IOException {
    json.writeRaw('\n');
    for (int i = 0; i < level; i++) {
      json.writeRaw("    ");
    }
  }

  /** Jackson takes DEL for a plain character; QEMU does not. */
  private static final class DeleteEscaped extends CharacterEscapes {
    static final int DELETE = 0x7F;
    private static final long serialVersionUID = 1L;

    @Override
    public int[] getEscapeCodesForAscii() {
      int[] codes = standardAsciiEscapesForJSON();
      codes[DELETE] = ESCAPE_STANDARD;
      return codes;
    }

    @Override
    public @Nullable SerializableString getEscapeSequence(int character) {
      return null;
    }
  }
}
