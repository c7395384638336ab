package org.qcowfs.it.cache;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A call that changes a file of the host, or brings it to disk.
 *
 * @param name of the system call
 * @param file what it was made on; empty for a call that names no file
 * @param hostOffset where it writes; -1 for a call that does not
 * @param bytes how much it writes; 0 for a call that does not
 */
record HostCall(String name, Path file, long hostOffset, long bytes) {
  /** What {@code strace} has to be told to look at. */
  static final List<String> NAMES =
      List.of(
          "write",
          "writev",
          "pwrite64",
          "pwritev",
          "pwritev2",
          "ftruncate",
          "fallocate",
          "fsync",
          "fdatasync",
          "sync_file_range",
          "syncfs",
          "sync",
          "msync");

  private static final Path NO_FILE = Path.of("");

  /** The line in which a call begins; it may end in another one. */
  private static final Pattern BEGINNING =
      Pattern.compile("\\d+ +([a-z0-9_]+)\\((?:\\d+<([^>]*)>)?(.*)");

  private static final Pattern ONE_BUFFER = Pattern.compile(", (\\d+), (\\d+)(?:\\)| <).*");
  private static final Pattern OFFSET_OF_VECTOR = Pattern.compile("], \\d+, (\\d+)(?:\\)| <|,).*");
  private static final Pattern LENGTH_IN_VECTOR = Pattern.compile("iov_len=(\\d+)");

  /** The call that begins in a line of a trace, if one does. */
  static Optional<HostCall> parse(String line) {
    Matcher call = BEGINNING.matcher(line);
    if (!call.matches() || !NAMES.contains(call.group(1))) {
      return Optional.empty();
    }
    Path file = call.group(2) == null ? NO_FILE : Path.of(call.group(2));
    String arguments = call.group(3);
    return Optional.of(
        switch (call.group(1)) {
          case "pwrite64" -> {
            Matcher numbers = find(ONE_BUFFER, arguments);
            yield new HostCall("pwrite", file, number(numbers, 2), number(numbers, 1));
          }
          case "pwritev" -> {
            long bytes =
                LENGTH_IN_VECTOR
                    .matcher(arguments)
                    .results()
                    .mapToLong(length -> Long.parseLong(length.group(1)))
                    .sum();
            long offset = number(find(OFFSET_OF_VECTOR, arguments), 1);
            yield new HostCall("pwrite", file, offset, bytes);
          }
          default -> new HostCall(call.group(1), file, -1, 0);
        });
  }

  private static Matcher find(Pattern pattern, String arguments) {
    Matcher matcher = pattern.matcher(arguments);
    if (!matcher.find()) {
      throw new IllegalStateException("not understood: " + arguments);
    }
    return matcher;
  }

  private static long number(Matcher matcher, int group) {
    return Long.parseLong(matcher.group(group));
  }

  boolean isWrite() {
    return name.equals("pwrite");
  }

  /** Whether it waits for stable media, or asks for it. */
  boolean isDiskFlush() {
    return name.contains("sync");
  }

  /** Whether it writes no byte outside a range of its file. */
  boolean writesWithin(long offset, long length) {
    return isWrite() && hostOffset >= offset && hostOffset + bytes <= offset + length;
  }

  @Override
  public String toString() {
    String where = isWrite() ? " %d bytes at 0x%x".formatted(bytes, hostOffset) : "";
    return name + " " + file.getFileName() + where;
  }
}
