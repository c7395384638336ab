package org.qcowfs.session;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;

/**
 * What a session leaves for {@code umount} to read.
 *
 * @param pid the daemon's process
 * @param startTime when that process started, as {@link HostProcess} counts
 * @param mountpoint where it mounted
 * @param image what it mounted
 * @param log where its log is; empty for one in the foreground
 * @param outcome how its last flush went; empty while it runs
 */
record SessionRecord(
    long pid,
    long startTime,
    Path mountpoint,
    Path image,
    Optional<Path> log,
    Optional<String> outcome) {
  /** The outcome of a session that lost nothing. */
  static final String FLUSHED = "flushed";

  SessionRecord withOutcome(String value) {
    return new SessionRecord(pid, startTime, mountpoint, image, log, Optional.of(value));
  }

  String encode() throws IOException {
    Properties properties = new Properties();
    properties.setProperty("pid", Long.toString(pid));
    properties.setProperty("startTime", Long.toString(startTime));
    properties.setProperty("mountpoint", mountpoint.toString());
    properties.setProperty("image", image.toString());
    log.ifPresent(path -> properties.setProperty("log", path.toString()));
    outcome.ifPresent(text -> properties.setProperty("outcome", text));
    StringWriter text = new StringWriter();
    properties.store(text, null);
    return text.toString();
  }

  /**
   * Decodes a record.
   *
   * @throws IOException when it is not one
   */
  static SessionRecord decode(String text) throws IOException {
    Properties properties = new Properties();
    try {
      properties.load(new StringReader(text));
      return new SessionRecord(
          Long.parseLong(properties.getProperty("pid", "")),
          Long.parseLong(properties.getProperty("startTime", "")),
          Path.of(properties.getProperty("mountpoint", "")),
          Path.of(properties.getProperty("image", "")),
          Optional.ofNullable(properties.getProperty("log")).map(Path::of),
          Optional.ofNullable(properties.getProperty("outcome")));
    } catch (IllegalArgumentException e) {
      throw new IOException("not a session record: " + e.getMessage(), e);
    }
  }
}
