package org.qcowfs.it.kit;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** JSON output, compared as trees: order of fields and blanks do not count. */
public final class Json {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Fields that came with QEMU 8 and 9: they count only where both sides have them. */
  private static final List<String> FIELDS_OF_NEWER_QEMU =
      List.of("compressed", "children", "child");

  private Json() {}

  /** The tree that the text stands for. */
  public static JsonNode parse(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new AssertionError("no JSON: " + text, e);
    }
  }

  /** The tree in a file. */
  public static JsonNode read(Path file) {
    try {
      return parse(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Asserts equality but for what only a newer QEMU says. */
  public static void assertSame(String what, JsonNode actual, JsonNode expected) {
    for (String field : FIELDS_OF_NEWER_QEMU) {
      if (actual.findValue(field) == null || expected.findValue(field) == null) {
        remove(actual, field);
        remove(expected, field);
      }
    }
    assertThat(actual).as(what).isEqualTo(expected);
  }

  private static void remove(JsonNode node, String field) {
    if (node instanceof ObjectNode object) {
      object.remove(field);
    }
    node.forEach(child -> remove(child, field));
  }
}
