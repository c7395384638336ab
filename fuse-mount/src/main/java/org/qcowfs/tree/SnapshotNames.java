package org.qcowfs.tree;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.qcowfs.image.InternalSnapshot;

/**
 * The names of internal snapshots as file names.
 *
 * <ul>
 *   <li>A slash, NUL and the control characters U+0001 to U+001F and U+007F become {@code %} and
 *       two upper-case hexadecimal digits, and so does every {@code %} of a name in which anything
 *       has to be encoded. {@code .} becomes {@code %2E} and {@code ..} becomes {@code %2E%2E}.
 *       Every other name stays as it is, a {@code %} included.
 *   <li>A name of more than 255 bytes of UTF-8 is cut, never within a character.
 *   <li>Where two names are now equal, and where a name is empty or was cut, {@code ~} and the ID
 *       of the snapshot are appended, the ID encoded in the same way and cut to 64 bytes; the name
 *       is cut so that both fit. A name that needs none of this is never taken away by one that
 *       does.
 *   <li>Where even that is taken, {@code ~} and the snapshot's place in the snapshot table, from 1
 *       on, follow, and then {@code ~2}, {@code ~3} and so on.
 * </ul>
 */
final class SnapshotNames {
  private static final int MAX_BYTES = 255;
  private static final int MAX_ID_BYTES = 64;

  private SnapshotNames() {}

  /** The file names of the snapshots, in the same order; all different. */
  static List<String> of(List<InternalSnapshot> snapshots) {
    List<String> encoded = snapshots.stream().map(snapshot -> encode(snapshot.name())).toList();
    Set<String> kept = namesToKeep(encoded);
    Set<String> taken = new HashSet<>(kept);
    List<String> names = new ArrayList<>();
    for (int index = 0; index < encoded.size(); index++) {
      String name = encoded.get(index);
      names.add(kept.contains(name) ? name : distinct(name, snapshots.get(index), taken));
    }
    return names;
  }

  private static Set<String> namesToKeep(List<String> encoded) {
    Map<String, Integer> counts = new HashMap<>();
    encoded.forEach(name -> counts.merge(name, 1, Integer::sum));
    return counts.keySet().stream()
        .filter(name -> counts.get(name) == 1 && !name.isEmpty() && bytes(name) <= MAX_BYTES)
        .collect(Collectors.toSet());
  }

  private static String distinct(String name, InternalSnapshot snapshot, Set<String> taken) {
    String id = "~" + cut(encode(snapshot.id()), MAX_ID_BYTES);
    String withPlace = id + "~" + (snapshot.index() + 1);
    String candidate = withSuffix(name, id);
    for (int attempt = 1; !taken.add(candidate); attempt++) {
      candidate = withSuffix(name, attempt == 1 ? withPlace : withPlace + "~" + attempt);
    }
    return candidate;
  }

  private static String withSuffix(String name, String suffix) {
    return cut(name, MAX_BYTES - bytes(suffix)) + suffix;
  }

  private static String encode(String stored) {
    // Unpaired surrogates have no bytes in UTF-8 and become what a file name can hold.
    String name = new String(stored.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    if (name.equals(".") || name.equals("..")) {
      return "%2E".repeat(name.length());
    }
    if (name.chars().noneMatch(SnapshotNames::mustBeEncoded)) {
      return name;
    }
    StringBuilder encoded = new StringBuilder();
    name.codePoints()
        .forEach(
            c -> {
              if (c == '%' || mustBeEncoded(c)) {
                encoded.append("%%%02X".formatted(c));
              } else {
                encoded.appendCodePoint(c);
              }
            });
    return encoded.toString();
  }

  private static boolean mustBeEncoded(int c) {
    return c == '/' || c < 0x20 || c == 0x7F;
  }

  /**
   * The longest beginning of the text that has no more than that many bytes and whole characters.
   */
  private static String cut(String text, int maxBytes) {
    int end = 0;
    int length = 0;
    while (end < text.length()) {
      int codePoint = text.codePointAt(end);
      length += bytes(Character.toString(codePoint));
      if (length > maxBytes) {
        break;
      }
      end += Character.charCount(codePoint);
    }
    return text.substring(0, end);
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
