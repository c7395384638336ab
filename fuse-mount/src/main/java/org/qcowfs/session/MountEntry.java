package org.qcowfs.session;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One line of {@code /proc/self/mountinfo} (proc_pid_mountinfo(5)).
 *
 * @param id the mount's number
 * @param parentId the number of the mount it lies in
 * @param device {@code MAJOR:MINOR} of its filesystem
 * @param mountpoint where it is seen
 * @param type filesystem type, with the subtype behind a dot
 * @param source what is mounted, as the filesystem says
 * @param superOptions options of the filesystem
 */
record MountEntry(
    int id,
    int parentId,
    String device,
    Path mountpoint,
    String type,
    String source,
    List<String> superOptions) {
  /** Filesystem type of our mounts. */
  static final String OUR_TYPE = "fuse.qcowfs";

  MountEntry {
    superOptions = List.copyOf(superOptions);
  }

  /** Decodes a line; empty when it is not one, or names a path that Java cannot hold. */
  static Optional<MountEntry> parse(String line) {
    List<String> fields = Arrays.asList(line.split(" ", -1));
    int separator = fields.indexOf("-");
    if (separator < 6 || fields.size() < separator + 4) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new MountEntry(
              Integer.parseInt(fields.get(0)),
              Integer.parseInt(fields.get(1)),
              fields.get(2),
              Path.of(unescape(fields.get(4))),
              unescape(fields.get(separator + 1)),
              unescape(fields.get(separator + 2)),
              Arrays.asList(fields.get(separator + 3).split(",", -1))));
    } catch (NumberFormatException | InvalidPathException e) {
      return Optional.empty();
    }
  }

  boolean isOurs() {
    return type.equals(OUR_TYPE);
  }

  /** Whether a FUSE daemon serves it. */
  boolean isFuse() {
    return type.equals("fuse") || type.startsWith("fuse.");
  }

  /** The user who mounted it, as FUSE says. */
  OptionalLong mountingUser() {
    String prefix = "user_id=";
    return superOptions.stream()
        .filter(option -> option.startsWith(prefix))
        .mapToLong(option -> Long.parseLong(option.substring(prefix.length())))
        .findFirst();
  }

  /** Undoes the kernel's octal escapes, which stand for bytes. */
  static String unescape(String field) {
    if (field.indexOf('\\') < 0) {
      return field;
    }
    byte[] escaped = field.getBytes(StandardCharsets.UTF_8);
    ByteBuffer plain = ByteBuffer.allocate(escaped.length);
    for (int i = 0; i < escaped.length; i++) {
      if (escaped[i] == '\\' && i + 3 < escaped.length) {
        String octal = new String(escaped, i + 1, 3, StandardCharsets.US_ASCII);
        plain.put((byte) Integer.parseInt(octal, 8));
        i += 3;
      } else {
        plain.put(escaped[i]);
      }
    }
    return new String(plain.array(), 0, plain.position(), StandardCharsets.UTF_8);
  }
}
