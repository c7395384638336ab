package org.qcowfs.session;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** The log file of a daemon: one for each mountpoint, in the user's log directory. */
final class DaemonLog {
  /** Room for an ending within the 255 bytes of a file name. */
  private static final int MAX_NAME_CHARS = 200;

  private DaemonLog() {}

  static Path forMountpoint(Path mountpoint, HostUser user, Map<String, String> environment)
      throws IOException {
    return PrivateDirectory.forLogs(user, environment).resolve(nameOf(mountpoint) + ".log");
  }

  /** The path as a file name: {@code -} for {@code /}, and what else is unusual as {@code %XX}. */
  static String nameOf(Path mountpoint) {
    StringBuilder name = new StringBuilder();
    for (byte b : mountpoint.toString().substring(1).getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      if (c == '/') {
        name.append('-');
      } else if (isPlain(c)) {
        name.append(c);
      } else {
        name.append(String.format(Locale.ROOT, "%%%02X", (int) c));
      }
    }
    if (name.length() > MAX_NAME_CHARS) {
      String hash = Integer.toHexString(mountpoint.hashCode());
      return name.substring(0, MAX_NAME_CHARS) + "~" + hash;
    }
    return name.toString();
  }

  private static boolean isPlain(char c) {
    boolean letterOrDigit = c < 0x80 && Character.isLetterOrDigit(c);
    return letterOrDigit || c == '.' || c == '_';
  }
}
